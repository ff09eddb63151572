namespace Datacake.EventualConsistency;

/// <summary>How far the building of an index is.</summary>
/// <param name="Name">The index's name.</param>
/// <param name="IsBuilt">Whether it has all documents, so that it can be read.</param>
/// <param name="Documents">How many of the documents that were there before it have been added to it so far.</param>
public readonly record struct IndexStatus(string Name, bool IsBuilt, long Documents);
