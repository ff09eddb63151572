namespace Datacake.Tool.Comparing;

/// <summary>The result of comparing a keyspace of two nodes.</summary>
/// <param name="Keyspace">The keyspace.</param>
/// <param name="Address">The address of the connected node.</param>
/// <param name="OtherAddress">The address of the other node.</param>
/// <param name="Differing">The number of documents that differ, and did not change while they were compared.</param>
/// <param name="Documents">The documents that differ, at most <see cref="NodeComparison.MaxNamed"/>.</param>
sealed record KeyspaceComparison(string Keyspace, string Address, string OtherAddress, long Differing, IReadOnlyList<DocumentDifference> Documents);
