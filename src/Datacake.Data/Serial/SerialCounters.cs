using Datacake.Crdt;
using Datacake.EventualConsistency;

namespace Datacake.Data.Serial;

/// <summary>The counters of merging entities that are written serially.</summary>
static class SerialCounters
{
    /// <summary>
    /// Checks that a serial save adds nothing to the counters of an entity that merges. A sequencer may have to apply a save again, which would count twice.
    /// </summary>
    /// <exception cref="InvalidOperationException">It adds to a counter. Nothing was written.</exception>
    public static void Check(EntityModel entity, DocumentKey key, IReadOnlyList<CounterIncrement> counters)
    {
        foreach (var (property, amount) in counters)
        {
            // A counter that is not stored has the value that the class gives it.
            if (amount != 0 || entity.DefaultsOf(Document.Nothing).Content.Counters.Any(counter => counter.Property == property && counter.Amount != 0))
            {
                throw new InvalidOperationException(
                    $"The save adds {amount} to the counter {property} of the {entity.Name} {key}, and it is serial, because it includes an entity of a serial class or has the level Serial. "
                        + "A serial save cannot add to counters. Nothing was saved. Save the counter by itself, in another context or before.");
            }
        }
    }
}
