using Datacake.Crdt;

namespace Datacake.EventualConsistency.Indexes;

/// <summary>
/// An ordered index of a keyspace: the values under which each live document is found. Every replica keeps its own index, and updates it in
/// the storage commit that changes the document.
/// </summary>
/// <param name="Name">The name, unique in the keyspace.</param>
/// <param name="Signature">
/// A description of the indexed values. A store that has an index of the same name with a different signature rebuilds it.
/// </param>
/// <param name="Extract">
/// Writes the values of a live document. It is called at every change, with the document before and after the change, and must be pure,
/// thread-safe and fast.
/// </param>
sealed record DocumentIndex(string Name, string Signature, DocumentIndex.Extractor Extract)
{
    /// <summary>
    /// The maximum length of a value, in encoded bytes. Longer values are cut off, so readers must check the document itself.
    /// </summary>
    public const int MaxValueLength = 200;

    /// <summary>
    /// Gets a function that returns true if two versions of a live document certainly have the same values, and is faster than extracting them; null if there is none.
    /// </summary>
    public Func<Document, Document, bool>? IsUnchanged { get; init; }

    /// <summary>Writes the values under which a document is found, or no values if it is not in the index.</summary>
    public delegate void Extractor(Document document, IndexValues values);
}
