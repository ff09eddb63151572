using Datacake.Crdt;
using Datacake.EventualConsistency.Indexes;

namespace Datacake.EventualConsistency.Keyspaces;

/// <summary>An application's declaration of a keyspace, made before it uses the keyspace.</summary>
/// <param name="Name">The name, 1 to 200 characters.</param>
/// <param name="Policy">The policy by which a delete and a concurrent update merge. It must be the same on every node.</param>
/// <param name="Indexes">The indexes that this node keeps. An index of an earlier declaration that is missing here is dropped.</param>
sealed record KeyspaceDeclaration(string Name, MergePolicy Policy, IReadOnlyList<DocumentIndex> Indexes)
{
    /// <summary>Gets the name of the class whose objects the keyspace stores, for messages; null if there is none.</summary>
    public string? Class { get; init; }
}
