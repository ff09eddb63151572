namespace Datacake.Node;

/// <summary>Why one node did not acknowledge.</summary>
/// <param name="NodeId">The node.</param>
/// <param name="Reason">What happened, as a sentence without its full stop.</param>
/// <param name="Exception">What was thrown, if anything was.</param>
public sealed record ConsistencyFailure(byte NodeId, string Reason, Exception? Exception = null);

/// <summary>
/// The consistency level could have been satisfied, and was not in time. A write stays: on the local node, and wherever it arrived; and it
/// goes on replicating to the others. Writing it again is safe, and needless.
/// </summary>
public sealed class ConsistencyException : Exception
{
    /// <summary>What was required, what was acknowledged, and what went wrong.</summary>
    public ConsistencyException(
        ConsistencyRequirement requirement, NodeSet acknowledged, IReadOnlyList<ConsistencyFailure> failures, TimeSpan waited)
        : base(
            Describe(requirement, acknowledged, failures, waited),
            failures.FirstOrDefault(failure => failure.Exception is not null)?.Exception)
    {
        Requirement = requirement;
        Acknowledged = acknowledged.With(requirement.LocalId);
        Failures = failures;
    }

    /// <summary>What was required.</summary>
    public ConsistencyRequirement Requirement { get; }

    /// <summary>The level that was asked for.</summary>
    public Consistency Level => Requirement.Level;

    /// <summary>The nodes that have acknowledged, the local one included.</summary>
    public NodeSet Acknowledged { get; }

    /// <summary>Why others have not, as far as is known; a node that just did not answer in time need not be here.</summary>
    public IReadOnlyList<ConsistencyFailure> Failures { get; }

    static string Describe(
        ConsistencyRequirement requirement, NodeSet acknowledged, IReadOnlyList<ConsistencyFailure> failures, TimeSpan waited)
    {
        var reasons = string.Join("; ", failures.Select(failure => $"node {failure.NodeId}: {failure.Reason}"));
        return $"{requirement}, and within {waited.TotalSeconds:0.###} s it was acknowledged by "
            + $"{acknowledged.With(requirement.LocalId)} only. "
            + $"Missing: {requirement.MissingFor(acknowledged)}. {(reasons.Length == 0 ? "" : $"Failures: {reasons}. ")}"
            + "A write stays where it is acknowledged, and goes on replicating to the others: it need not be repeated.";
    }
}
