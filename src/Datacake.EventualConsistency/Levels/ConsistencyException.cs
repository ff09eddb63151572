using Datacake.Crdt;
using Datacake.Node;

namespace Datacake.EventualConsistency;

/// <summary>The failure of one node to acknowledge a write or answer a read.</summary>
/// <param name="NodeId">The id of the node.</param>
/// <param name="Reason">The reason, as a clause without a full stop.</param>
/// <param name="Exception">The exception that was thrown, or null if none was.</param>
public sealed record ConsistencyFailure(byte NodeId, string Reason, Exception? Exception = null);

/// <summary>
/// The exception that is thrown when a consistency level is not satisfied in time, although enough members are up. A write is kept on the
/// local node and on all nodes that received it; the message says whether it continues to replicate. A read has no result.
/// </summary>
public sealed class ConsistencyException : Exception
{
    const string FateOfWrite =
        "The write is kept where it was acknowledged, and continues to replicate to the other members. Do not repeat it.";

    /// <summary>Creates the exception for a read.</summary>
    /// <param name="requirement">The requirement that was not satisfied.</param>
    /// <param name="answered">The nodes that answered.</param>
    /// <param name="failures">The known failures of other nodes.</param>
    /// <param name="waited">The time that the call waited.</param>
    public ConsistencyException(ConsistencyRequirement requirement, NodeSet answered, IReadOnlyList<ConsistencyFailure> failures, TimeSpan waited)
        : this(requirement, answered, failures, "Answered by", waited, "Retry, or read at a lower level.")
    {
    }

    /// <summary>Creates the exception for a write.</summary>
    /// <param name="requirement">The requirement that was not satisfied.</param>
    /// <param name="acknowledged">The nodes that acknowledged the write.</param>
    /// <param name="failures">The known failures of other nodes.</param>
    /// <param name="waited">The time that the call waited.</param>
    /// <param name="stamp">The stamp of the transaction.</param>
    /// <param name="fate">
    /// Sentences that say what happens to the write; <see langword="null"/> if the write continues to replicate.
    /// </param>
    public ConsistencyException(
        ConsistencyRequirement requirement, NodeSet acknowledged, IReadOnlyList<ConsistencyFailure> failures, TimeSpan waited, HlcTimestamp stamp,
        string? fate = null)
        : this(requirement, acknowledged, failures, "Acknowledged by", waited, fate ?? FateOfWrite) => Stamp = stamp;

    ConsistencyException(
        ConsistencyRequirement requirement, NodeSet acknowledged, IReadOnlyList<ConsistencyFailure> failures, string verb, TimeSpan waited, string fate)
        : base(
            Describe(requirement, acknowledged, failures, verb, waited, fate),
            failures.FirstOrDefault(failure => failure.Exception is not null)?.Exception)
    {
        Requirement = requirement;
        Acknowledged = acknowledged.With(requirement.LocalId);
        Failures = failures;
    }

    /// <summary>Gets the requirement that was not satisfied.</summary>
    public ConsistencyRequirement Requirement { get; }

    /// <summary>Gets the requested level.</summary>
    public Consistency Level => Requirement.Level;

    /// <summary>Gets the nodes that acknowledged the write or answered the read, including the local node.</summary>
    public NodeSet Acknowledged { get; }

    /// <summary>
    /// Gets the stamp of the write, with which callers on other nodes can wait for the write; <see langword="null"/> for a read.
    /// </summary>
    public HlcTimestamp? Stamp { get; }

    /// <summary>Gets the known failures of other nodes. A node that did not answer in time may be missing here.</summary>
    public IReadOnlyList<ConsistencyFailure> Failures { get; }

    static string Describe(
        ConsistencyRequirement requirement, NodeSet acknowledged, IReadOnlyList<ConsistencyFailure> failures, string verb, TimeSpan waited, string fate)
    {
        var reasons = string.Join("; ", failures.Select(failure => $"node {failure.NodeId}: {failure.Reason}"));
        return $"{requirement}, but this was not satisfied within {waited.TotalSeconds:0.###} s. "
            + $"{verb}: {acknowledged.With(requirement.LocalId)}. Missing: {requirement.MissingFor(acknowledged)}. "
            + $"{(reasons.Length == 0 ? "" : $"Failures: {reasons}. ")}{fate}";
    }
}
