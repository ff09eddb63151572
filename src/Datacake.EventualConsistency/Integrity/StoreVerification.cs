using System.Globalization;

namespace Datacake.EventualConsistency;

/// <summary>The findings of <see cref="ReplicatedStore.VerifyAsync"/>.</summary>
/// <param name="Records">The number of records that were read.</param>
/// <param name="Documents">The number of living documents.</param>
/// <param name="Findings">A sentence for each thing that is wrong, at most 1,000. They are being mended where that is possible.</param>
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
