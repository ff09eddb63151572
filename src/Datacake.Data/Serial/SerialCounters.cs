using Datacake.Crdt;
using Datacake.EventualConsistency;

namespace Datacake.Data.Serial;

/// <summary>The counters of merging entities that are written serially.</summary>
static class SerialCounters
{
    /// <summary>
    /// Checks that a serial save adds nothing to the counters of an entity that merges. A sequencer may have to apply a save again, which would count twice.
    /// </summary>
    /// <param name="entity">The class of the entity.</param>
    /// <param name="key">The key of the entity.</param>
    /// <param name="counters">The counters that are written.</param>
    /// <param name="isPut">True if the entity is added or replaced, so that its counters begin.</param>
    /// <exception cref="InvalidOperationException">It adds to a counter, or begins one that needs its bounds. Nothing was written.</exception>
    public static void Check(EntityModel entity, DocumentKey key, IReadOnlyList<CounterIncrement> counters, bool isPut)
    {
        foreach (var counter in counters)
        {
            var (property, amount) = counter;
            const string IsSerial = "because it includes an entity of a serial class or has the level Serial";
            // A counter that is not stored has the value that the class gives it.
            if (amount != 0 || entity.DefaultsOf(Document.Nothing).Content.Counters.Any(known => known.Property == property && known.Amount != 0))
            {
                throw new InvalidOperationException(
                    $"The save adds {amount} to the counter {property} of the {entity.Name} {key}, and it is serial, {IsSerial}. "
                        + "A serial save cannot add to counters. Nothing was saved. Save the counter by itself, in another context or before.");
            }
            // One that is not stored has no bounds, except that it can begin at a minimum of 0.
            if (isPut && counter.IsBounded && counter is not { Minimum: 0, Maximum: null })
            {
                throw new InvalidOperationException(
                    $"The save adds the {entity.Name} {key}, whose counter {property} has other bounds than a minimum of 0, and it is serial, {IsSerial}. "
                        + "A serial save cannot store such bounds. Nothing was saved. Save the entity by itself, in another context or before.");
            }
        }
    }
}
