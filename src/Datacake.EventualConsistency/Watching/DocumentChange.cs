using Datacake.Crdt;

namespace Datacake.EventualConsistency;

/// <summary>What became of a document, by a transaction of this node or of another one.</summary>
/// <param name="Key">The key.</param>
/// <param name="Before">The living document before; <see langword="null"/> if there was none, or if it is not known.</param>
/// <param name="After">The living document after; <see langword="null"/> if it was deleted.</param>
/// <param name="IsBeforeKnown">Whether <paramref name="Before"/> says what was before. It is not known of what a watcher has missed at first.</param>
public readonly record struct DocumentChange(DocumentKey Key, Document? Before, Document? After, bool IsBeforeKnown);
