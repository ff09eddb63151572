namespace Datacake.Tool.Commands;

/// <summary>An index of a keyspace.</summary>
/// <param name="Keyspace">The keyspace.</param>
/// <param name="Name">The index.</param>
/// <param name="IsBuilt">True if the index has all documents.</param>
/// <param name="AddedDocuments">The documents that were added so far, of those that existed before the index.</param>
/// <param name="Documents">The documents of the keyspace.</param>
sealed record IndexRow(string Keyspace, string Name, bool IsBuilt, long AddedDocuments, long Documents);
