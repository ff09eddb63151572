using Datacake.EventualConsistency;

namespace Datacake.Tool.Comparing;

/// <summary>The result of verifying a node and comparing it with other nodes.</summary>
/// <param name="Store">The verification of the node's own store; null if it was left out.</param>
/// <param name="Compared">The addresses of the nodes that were compared.</param>
/// <param name="Unreachable">A sentence for each node that could not be compared.</param>
/// <param name="Differences">The keyspaces that differ.</param>
sealed record ClusterVerification(StoreVerification? Store, IReadOnlyList<string> Compared, IReadOnlyList<string> Unreachable, IReadOnlyList<KeyspaceComparison> Differences)
{
    /// <summary>True if nothing was found.</summary>
    public bool IsSound => Store is null or { IsSound: true } && Unreachable.Count == 0 && Differences.Count == 0;
}
