using Datacake.EventualConsistency;

namespace Datacake.Administration;

/// <summary>The state of a keyspace on a node.</summary>
/// <param name="Name">The name of the keyspace.</param>
/// <param name="Documents">The number of documents.</param>
/// <param name="Fingerprint">A hash of all documents, as 32 hexadecimal digits: equal on nodes that have the same documents.</param>
/// <param name="Indexes">The indexes of the keyspace.</param>
/// <param name="EstimatedBytes">
/// The approximate size of the documents and their keys, without indexes: their number times the mean size of some at both ends of the keyspace.
/// </param>
public sealed record KeyspaceStatus(string Name, long Documents, string Fingerprint, IReadOnlyList<IndexStatus> Indexes, long EstimatedBytes = 0);
