namespace Datacake.EventualConsistency;

/// <summary>What <see cref="ReplicatedStore.VerifyAsync"/> has found.</summary>
/// <param name="Records">How many records were read.</param>
/// <param name="Documents">How many living documents there are.</param>
/// <param name="Findings">What is wrong, a sentence each; at most 1,000. It is being mended where that is possible.</param>
/// <param name="DifferingNodes">The members that know the same transactions and show something else.</param>
public sealed record StoreVerification(long Records, long Documents, IReadOnlyList<string> Findings, IReadOnlyList<byte> DifferingNodes)
{
    /// <summary>Gets a value that is true if nothing is wrong.</summary>
    public bool IsSound => Findings.Count == 0 && DifferingNodes.Count == 0;
}
