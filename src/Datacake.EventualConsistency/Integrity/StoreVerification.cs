using System.Globalization;

namespace Datacake.EventualConsistency;

/// <summary>The result of <see cref="ReplicatedStore.VerifyAsync"/>.</summary>
/// <param name="Records">The number of records that were read.</param>
/// <param name="Documents">The number of live documents.</param>
/// <param name="Findings">A sentence for each problem, at most 1,000. Problems that can be repaired are being repaired.</param>
/// <param name="DifferingNodes">The members that know the same transactions but show something else.</param>
public sealed record StoreVerification(long Records, long Documents, IReadOnlyList<string> Findings, IReadOnlyList<byte> DifferingNodes)
{
    /// <summary>True if no problem was found.</summary>
    public bool IsSound => Findings.Count == 0 && DifferingNodes.Count == 0;

    /// <summary>Returns the result as text, for a log.</summary>
    public override string ToString()
    {
        string read = string.Create(CultureInfo.InvariantCulture, $"{Records} records and {Documents} documents were read.");
        string differing = DifferingNodes.Count > 0 ? $" Nodes {string.Join(", ", DifferingNodes)} know the same transactions but show different data." : "";
        return IsSound ? $"{read} No problems were found." : $"{read} {string.Join(" ", Findings)}{differing}";
    }
}
