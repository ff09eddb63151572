using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Replication;

/// <summary>The settings of a replica for one life of the process.</summary>
/// <param name="ClusterId">The name of the cluster that the node belongs to.</param>
/// <param name="DataCenter">The node's data center.</param>
/// <param name="Boot">Random, one per life of the process.</param>
/// <param name="FreshId">Random: the id of a store that has none yet, and the identity of a cluster that it forms.</param>
/// <param name="Time">The wall clock.</param>
sealed record ReplicaSettings(string ClusterId, string DataCenter, ulong Boot, ulong FreshId, TimeProvider Time)
{
    /// <summary>The limit of the records that are forgotten, or cleared away, in one batch; the rest follows in the next ones.</summary>
    public int MaxStep { get; init; } = 5_000;

    /// <summary>The limit of the documents in a transaction of a full reconcile.</summary>
    public int MaxAsserted { get; init; } = 1_000;

    /// <summary>The limit of the documents that a full reconcile removes on the word of one member [R19].</summary>
    public int MaxRemoved { get; init; } = 100;

    /// <summary>The limit of an encoded document that a local write makes, in bytes [R17].</summary>
    public int MaxDocumentLength { get; init; } = 8 * 1024 * 1024;

    /// <summary>The limit of how much the wall clocks of two nodes may differ that are in session [R1].</summary>
    public TimeSpan MaxClockDifference { get; init; } = TimeSpan.FromSeconds(4_100);

    /// <summary>The limit of the parts of an answer to a pull that wait for a clean cut, in bytes: half of the memory of the machine, and 1 GiB at least [R9].</summary>
    public long MaxStagedLength { get; init; } = Math.Max(1L << 30, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 2);

    /// <summary>True if the storage is in memory, and ends with the process.</summary>
    public bool IsVolatile { get; init; }

    /// <summary>True if an operator has said that the store may take the place of another under its node id, whose disk is lost [R19].</summary>
    public bool TakesOver { get; init; }

    /// <summary>Tells whether an operator has retired a store; null if the word of any member does [R19].</summary>
    public IRetirementAuthority? Authority { get; init; }

    /// <summary>The versions that the replica speaks.</summary>
    public ProtocolVersion Protocol { get; init; } = ProtocolVersion.Current;

    /// <summary>Waits for a time, at the start of a store whose limit is ahead of the wall clock [R1]; null for not at all.</summary>
    public Func<TimeSpan, CancellationToken, ValueTask>? Delay { get; init; }
}
