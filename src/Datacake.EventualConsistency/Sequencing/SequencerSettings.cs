namespace Datacake.EventualConsistency.Sequencing;

/// <summary>The settings of a sequencer.</summary>
/// <param name="Time">The clock for the time that passes. Safety does not depend on it.</param>
/// <param name="Random">The source of random election times.</param>
sealed record SequencerSettings(TimeProvider Time, Random Random)
{
    /// <summary>The default of <see cref="IdleFactor"/>.</summary>
    public const int DefaultIdleFactor = 10;

    /// <summary>Gets the time between two heartbeats of a sequencer that has something to do.</summary>
    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// Gets the factor by which heartbeats are rarer, and election times longer, while nobody has asked the sequencer for anything for a while. A cluster
    /// that does not use serial transactions hardly notices its sequencer.
    /// </summary>
    public int IdleFactor { get; init; } = DefaultIdleFactor;

    /// <summary>Gets the time without a request after which a sequencer is idle.</summary>
    public TimeSpan IdleAfter { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Gets the shortest election time: who has heard of a sequencer within it votes for no other. The longest is twice as long.
    /// </summary>
    public TimeSpan ElectionTime { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Gets how far ahead of its clock a sequencer asks for stamps [S5].</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Gets the number of voters that the sequencer aims at.</summary>
    public int MaxVoters { get; init; } = 5;

    /// <summary>Gets the number of decided entries that a store may still lack when it becomes a voter [S9].</summary>
    public ulong MaxVoterLag { get; init; } = 256;

    /// <summary>
    /// Gets the observer of the stores that become voters, for tests; null for none. It is called with the index of the last change of voters and the index up to which entries are decided then.
    /// </summary>
    public Action<Voter, ulong, ulong>? OnVoterAdded { get; init; }

    /// <summary>
    /// Gets the observer of the entries that the sequencer applies, for tests; null for none. It is called before the commit. If this store is the only voter,
    /// the entry is decided by that commit alone.
    /// </summary>
    public Action<ulong, SequenceEntry>? OnDecided { get; init; }

    /// <summary>True if this store may become a voter.</summary>
    public bool MayVote { get; init; } = true;

    /// <summary>
    /// Gets the maximum length of the entries that wait, in bytes. What waits must fit into one transaction, because a new sequencer applies it as one [S4].
    /// </summary>
    public long MaxWaitingLength { get; init; } = 8 * 1024 * 1024;

    /// <summary>
    /// Gets the maximum number of records that are read to check the ranges and unique values of one transaction. The store commits nothing else meanwhile.
    /// </summary>
    public int MaxRecordsRead { get; init; } = 10_000;

    /// <summary>Gets the maximum length of the documents that are read to check the ranges of one transaction, in bytes.</summary>
    public long MaxLengthRead { get; init; } = 16 * 1024 * 1024;

    /// <summary>Gets the maximum number of the entries that wait. Beyond it, the sequencer is busy.</summary>
    public int MaxWaiting { get; init; } = 10_000;

    /// <summary>Gets the maximum number of barriers that wait for a round. Beyond it, the sequencer is busy.</summary>
    public int MaxBarriers { get; init; } = 10_000;

    /// <summary>Gets the maximum number of requests of this node without an outcome.</summary>
    public int MaxRequests { get; init; } = 10_000;

    /// <summary>
    /// Gets the maximum number of lanes of a run of this node. Each lane leaves a record until a later run; a transaction whose outcome was not learned keeps its lane.
    /// </summary>
    public uint MaxLanes { get; init; } = 100_000;

    /// <summary>Gets the maximum length of the entries in one message, in bytes, unless a single entry is longer.</summary>
    public int MaxMessageLength { get; init; } = 1024 * 1024;
}
