using Datacake.Crdt;

namespace Datacake.Node;

/// <summary>Why one node did not acknowledge.</summary>
/// <param name="NodeId">The node.</param>
/// <param name="Reason">What happened, as a clause without a full stop.</param>
/// <param name="Exception">What was thrown, if anything was.</param>
public sealed record ConsistencyFailure(byte NodeId, string Reason, Exception? Exception = null);

/// <summary>
/// A consistency level that could have been satisfied was not satisfied in time. A write is kept, on the local node and wherever it arrived; the message says
/// whether it continues to replicate. A read has no result.
/// </summary>
public sealed class ConsistencyException : Exception
{
    const string FateOfWrite =
        "The write is kept where it was acknowledged, and continues to replicate to the other members. Do not repeat it.";

    /// <summary>Creates the exception of a read.</summary>
    /// <param name="requirement">What was required.</param>
    /// <param name="answered">The nodes that have answered.</param>
    /// <param name="failures">Why others have not, as far as is known.</param>
    /// <param name="waited">How long they had.</param>
    public ConsistencyException(ConsistencyRequirement requirement, NodeSet answered, IReadOnlyList<ConsistencyFailure> failures, TimeSpan waited)
        : this(requirement, answered, failures, "answered by", waited, "Retry, or read at a lower level.")
    {
    }

    /// <summary>Creates the exception of a write.</summary>
    /// <param name="requirement">What was required.</param>
    /// <param name="acknowledged">The nodes that have acknowledged.</param>
    /// <param name="failures">Why others have not, as far as is known.</param>
    /// <param name="waited">How long they had.</param>
    /// <param name="stamp">The stamp of the transaction.</param>
    /// <param name="fate">What becomes of the write, in sentences; <see langword="null"/> if it continues to replicate.</param>
    public ConsistencyException(
        ConsistencyRequirement requirement, NodeSet acknowledged, IReadOnlyList<ConsistencyFailure> failures, TimeSpan waited, HlcTimestamp stamp,
        string? fate = null)
        : this(requirement, acknowledged, failures, "acknowledged by", waited, fate ?? FateOfWrite) => Stamp = stamp;

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

    /// <summary>Gets what was required.</summary>
    public ConsistencyRequirement Requirement { get; }

    /// <summary>Gets the level that was asked for.</summary>
    public Consistency Level => Requirement.Level;

    /// <summary>Gets the nodes that have acknowledged the write or answered the read, the local one included.</summary>
    public NodeSet Acknowledged { get; }

    /// <summary>Gets the stamp of the write, with which others can wait for it; <see langword="null"/> for a read.</summary>
    public HlcTimestamp? Stamp { get; }

    /// <summary>Gets why others have not, as far as is known; a node that just did not answer in time need not be here.</summary>
    public IReadOnlyList<ConsistencyFailure> Failures { get; }

    static string Describe(
        ConsistencyRequirement requirement, NodeSet acknowledged, IReadOnlyList<ConsistencyFailure> failures, string verb, TimeSpan waited, string fate)
    {
        var reasons = string.Join("; ", failures.Select(failure => $"node {failure.NodeId}: {failure.Reason}"));
        return $"{requirement}, and within {waited.TotalSeconds:0.###} s it was {verb} {acknowledged.With(requirement.LocalId)} only. "
            + $"Missing: {requirement.MissingFor(acknowledged)}. {(reasons.Length == 0 ? "" : $"Failures: {reasons}. ")}{fate}";
    }
}
