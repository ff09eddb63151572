using System.Globalization;

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

    /// <summary>Returns what was found, for a log.</summary>
    public override string ToString()
    {
        string read = string.Create(CultureInfo.InvariantCulture, $"{Records} records and {Documents} documents were read.");
        string differing = DifferingNodes.Count > 0 ? $" Nodes {string.Join(", ", DifferingNodes)} show something else." : "";
        return IsSound ? $"{read} Nothing is wrong." : $"{read} {string.Join(" ", Findings)}{differing}";
    }
}
