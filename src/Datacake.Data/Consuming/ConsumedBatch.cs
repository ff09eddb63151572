using Datacake.EventualConsistency;

namespace Datacake.Data;

/// <summary>The changes that a durable consumer processes at a time; see <see cref="Keyspace{T}.ConsumeAsync"/>.</summary>
public sealed record ConsumedBatch<T>
{
    /// <summary>
    /// Gets the changes, in their order. Each delivery has new instances of the entities, which no context tracks. A change that was made while nobody consumed is
    /// <see cref="EntityChangeKind.Changed"/> with the latest state although the entity may be new, or <see cref="EntityChangeKind.Removed"/> although it may never have been delivered.
    /// </summary>
    public required IReadOnlyList<EntityChange<T>> Changes { get; init; }

    /// <summary>Gets the position that is saved when the batch is processed. It identifies the batch only together with its changes.</summary>
    public required WatchPosition Position { get; init; }

    /// <summary>True if the changes are the entities that exist, as added ones, rather than new changes.</summary>
    public bool IsLoad { get; init; }

    /// <summary>
    /// True if this batch is the first of all entities: at the first run, and after the log has lost changes that the consumer has not processed. Everything derived from earlier batches has to be
    /// discarded. The batch may have no changes.
    /// </summary>
    public bool IsReset { get; init; }

    /// <summary>Gets the number of this delivery of the batch by this node, which is 1 at first and grows after each failure.</summary>
    public int Attempt { get; init; } = 1;

    /// <summary>
    /// Gets the number of the node's term as the only consumer, which is greater than those of all earlier terms. A system that refuses a smaller number than it has seen is safe from
    /// a node that was suspended and does not know yet that another one has taken over.
    /// </summary>
    public long FencingToken { get; init; }
}
