using Datacake.EventualConsistency.Escrow;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Replication;

/// <summary>The settings of a replica for one life of the process.</summary>
/// <remarks>See PROTOCOL.md: boot.</remarks>
/// <param name="ClusterId">The name of the node's cluster.</param>
/// <param name="DataCenter">The node's data center.</param>
/// <param name="Boot">A random number, one per life of the process.</param>
/// <param name="FreshId">A random number: the store id of a store that has none yet, and the identity of a cluster that it forms.</param>
/// <param name="Time">The wall clock.</param>
sealed record ReplicaSettings(string ClusterId, string DataCenter, ulong Boot, ulong FreshId, TimeProvider Time)
{
    /// <summary>Gets the maximum number of records that are truncated, or cleared away, in one batch. The next batches continue.</summary>
    public int MaxStep { get; init; } = 5_000;

    /// <summary>Gets the maximum number of expired documents that are removed in one batch. The next batches continue [R20].</summary>
    public int MaxExpired { get; init; } = 2_000;

    /// <summary>Gets the maximum number of documents in a transaction of a full reconcile.</summary>
    public int MaxAsserted { get; init; } = 1_000;

    /// <summary>Gets the maximum number of documents that a full reconcile removes on the word of one member [R19].</summary>
    public int MaxRemoved { get; init; } = 100;

    /// <summary>Gets the maximum length of the encoded document that a local write results in, in bytes [R17].</summary>
    public int MaxDocumentLength { get; init; } = 8 * 1024 * 1024;

    /// <summary>Gets the maximum difference between the wall clocks of two nodes in session [R1].</summary>
    public TimeSpan MaxClockDifference { get; init; } = TimeSpan.FromSeconds(4_100);

    /// <summary>
    /// Gets the maximum length of the parts of an answer that wait for a clean cut, in bytes. The default is half of the machine's memory,
    /// but at least 1 GiB [R9].
    /// </summary>
    public long MaxStagedLength { get; init; } = Math.Max(1L << 30, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 2);

    /// <summary>True if the storage is in memory and ends with the process.</summary>
    public bool IsVolatile { get; init; }

    /// <summary>True if an operator allowed the store to replace another store of the same node id, whose disk is lost [R19].</summary>
    public bool TakesOver { get; init; }

    /// <summary>Gets the authority that verifies retirements; null if the word of any member is enough [R19].</summary>
    public IRetirementAuthority? Authority { get; init; }

    /// <summary>Gets the keyspaces that the store follows, in ordinal order, or none for all of them; null for a store that is, or becomes, a member [R21].</summary>
    public IReadOnlyList<string>? FollowedKeyspaces { get; init; }

    /// <summary>Gets the rules for the rights to bounded counters.</summary>
    public EscrowRules Escrow { get; init; } = new();

    /// <summary>Gets the protocol versions that the replica speaks.</summary>
    public ProtocolVersion Protocol { get; init; } = ProtocolVersion.Current;

    /// <summary>Gets the function that waits when a store starts with its limit ahead of the wall clock [R1]; null for no wait.</summary>
    public Func<TimeSpan, CancellationToken, ValueTask>? Delay { get; init; }
}
