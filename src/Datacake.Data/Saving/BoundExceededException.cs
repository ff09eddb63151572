using Datacake.EventualConsistency;

namespace Datacake.Data;

/// <summary>
/// The exception thrown when a counter would pass its minimum or maximum, or when this node lacks the rights to change it and could not get
/// them from other nodes in time. Nothing was written.
/// </summary>
public sealed class BoundExceededException : Exception
{
    internal BoundExceededException(EntityEntry entry, CounterBoundException innerException)
        : base(Describe(entry, innerException), innerException)
    {
        Entry = entry;
        Property = innerException.Property;
        Bound = innerException.Bound;
        AvailableHere = innerException.AvailableHere;
        AvailableElsewhere = innerException.AvailableElsewhere;
    }

    /// <summary>Gets the entity. After an update in the store (<c>ExecuteUpdateAsync</c>), it is not tracked.</summary>
    public EntityEntry Entry { get; }

    /// <summary>Gets the name of the counter, as it is stored.</summary>
    public string Property { get; }

    /// <summary>Gets the minimum or the maximum of the counter.</summary>
    public long Bound { get; }

    /// <summary>Gets the amount by which this node may change the counter in the same direction.</summary>
    public long AvailableHere { get; }

    /// <summary>Gets the amount by which other nodes may change the counter in the same direction, as far as this node knows.</summary>
    public long AvailableElsewhere { get; }

    static string Describe(EntityEntry entry, CounterBoundException e)
    {
        string counter = $"{e.Property} of the {entry.Keyspace.Entity.Name} {entry.Key}";
        string which = e.IsUp ? "maximum" : "minimum";
        if (entry.CurrentState == EntityState.Added)
            return $"{counter} cannot be {e.Amount}, because its {which} is {e.Bound}. Nothing was saved. Set a value within its bounds.";
        bool isNoneLeft = e.AvailableHere + e.AvailableElsewhere + e.Withheld == 0;
        string rest = isNoneLeft
            ? "None is left, neither on this node nor on others, as far as is known here."
            : $"This node may change it by {e.AvailableHere} in this direction, and other nodes by {e.AvailableElsewhere}, as far as is known here.";
        string message = $"{counter} cannot be changed by {e.Amount}, because its {which} is {e.Bound}. {rest} Nothing was saved.";
        if (e.Withheld > 0)
            message += $" This node may change it by another {e.Withheld} once it has heard from all members since its start.";
        if (isNoneLeft)
            return entry.CurrentState == EntityState.Detached ? $"{message} Exclude the entity from the update." : $"{message} Reload the entity (Entry(entity).ReloadAsync()) to discard the change.";
        return message + (entry.CurrentState == EntityState.Detached ? " Change the counter by less" : " Reload the entity (Entry(entity).ReloadAsync()), and change the counter by less")
            + (e.AvailableElsewhere + e.Withheld > 0 ? ", or retry when this node can reach the others." : ".");
    }
}
