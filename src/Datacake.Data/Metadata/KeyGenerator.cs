using Datacake.Crdt;

namespace Datacake.Data.Metadata;

/// <summary>
/// Makes key values that no other node makes, and that order by the time they are made at. Thread-safe. For generated code.
/// </summary>
public sealed class KeyGenerator
{
    readonly HybridLogicalClock _clock;
    readonly TimeProvider _timeProvider;

    internal KeyGenerator(HybridLogicalClock clock, TimeProvider timeProvider) => (_clock, _timeProvider) = (clock, timeProvider);

    /// <summary>A version 7 Guid.</summary>
    public Guid NextGuid() => Guid.CreateVersion7(_timeProvider.GetUtcNow());

    /// <summary>
    /// A stamp of the node's clock, which is of this node alone and never comes again: the clock starts above all stamps in the store, and
    /// what has the key is stored under a later one. Positive until 2091.
    /// </summary>
    public long NextInt64() => unchecked((long)NextUInt64());

    /// <inheritdoc cref="NextInt64"/>
    public ulong NextUInt64() => _clock.Tick().Packed;
}
