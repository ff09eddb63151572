using Datacake.Crdt;

namespace Datacake.EventualConsistency;

/// <summary>
/// An ordered index of a keyspace: for each living document the values under which it is found. Every replica keeps its own, in the same
/// storage commit as the document.
/// </summary>
/// <param name="Name">The name, unique in the keyspace.</param>
/// <param name="Signature">Says what the index holds. A store whose index of that name has another signature builds it anew.</param>
/// <param name="Extract">
/// Writes the values of a living document: called at every change, with the document before and after; must be a pure function, thread-safe and fast.
/// </param>
public sealed record DocumentIndex(string Name, string Signature, DocumentIndex.Extractor Extract)
{
    /// <summary>The longest value, in encoded bytes. Longer ones are cut off there, so a reader checks the document itself.</summary>
    public const int MaxValueLength = 200;

    /// <summary>Writes the values under which a document is found; none at all if it is not in the index.</summary>
    public delegate void Extractor(Document document, IndexValues values);
}
