namespace Datacake.EventualConsistency;

/// <summary>A document of a refused store that has something that the cluster lacks.</summary>
/// <param name="Keyspace">Its keyspace.</param>
/// <param name="Key">Its key.</param>
/// <param name="Change">What brings that back: the whole document, an update of the one that the cluster has, or its deletion.</param>
/// <param name="MayBeDeleted">True if the cluster may have had it and deleted it since, which nobody can tell any more.</param>
/// <param name="Failure">Why it could not be read or written, or null if it could.</param>
public sealed record SalvagedDocument(string Keyspace, DocumentKey Key, DocumentOperationKind Change, bool MayBeDeleted, string? Failure = null);
