using Datacake.Crdt;

namespace Datacake.EventualConsistency;

/// <summary>What an application says of a keyspace before it uses it.</summary>
/// <param name="Name">The name, 1 to 200 characters.</param>
/// <param name="Policy">How a delete and a concurrent update merge: the same on every node.</param>
/// <param name="Indexes">The indexes that this node keeps. One that an earlier declaration had and this one lacks is dropped.</param>
public sealed record KeyspaceDeclaration(string Name, MergePolicy Policy, IReadOnlyList<DocumentIndex> Indexes);
