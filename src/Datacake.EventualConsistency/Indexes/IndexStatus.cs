namespace Datacake.EventualConsistency;

/// <summary>The progress of building an index.</summary>
/// <param name="Name">The name of the index.</param>
/// <param name="IsBuilt">True if the index has all documents and can be read.</param>
/// <param name="Documents">The number of documents, of those that existed before the index, that have been added so far.</param>
public readonly record struct IndexStatus(string Name, bool IsBuilt, long Documents);
