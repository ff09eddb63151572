using Datacake.Crdt;

namespace Datacake.EventualConsistency;

/// <summary>A change of a document by a transaction of this node or of another node.</summary>
/// <param name="Key">The document's key.</param>
/// <param name="Before">The live document before the change; <see langword="null"/> if there was none, or if it is not known. It may have expired since readers last saw it.</param>
/// <param name="After">The live document after the change; <see langword="null"/> if it was deleted.</param>
/// <param name="IsBeforeKnown">
/// True if <paramref name="Before"/> is known. It is not known for changes that a watcher first missed and then read from the store.
/// </param>
public readonly record struct DocumentChange(DocumentKey Key, Document? Before, Document? After, bool IsBeforeKnown);
