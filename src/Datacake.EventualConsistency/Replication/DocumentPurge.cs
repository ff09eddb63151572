using Datacake.Crdt;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// The purge of a single document [R11], for everything that truncates, or merges data of replicas that have truncated more.
/// </summary>
/// <remarks>See PROTOCOL.md: purge.</remarks>
static class DocumentPurge
{
    /// <summary>
    /// Returns the rest of a document after its purge: nothing, if the document is dead and all its stamps are truncated; otherwise the
    /// document without those removed cells and outdated counter shares whose stamps are truncated. A dead document keeps its cells,
    /// because a late update revives the whole document.
    /// </summary>
    public static Document Apply(Document document, VersionVector truncated, MergePolicy policy)
    {
        if (ReferenceEquals(document, Document.Nothing))
            return document;
        if (!document.IsAlive(policy))
            return document.IsWithin(truncated) ? Document.Nothing : document;
        foreach (var cell in document.Cells)
        {
            if (IsPurgeable(cell, document.Born, truncated))
                return WithoutPurgeable(document, truncated);
        }
        return document;
    }

    /// <summary>Returns the greatest stamp of a purged document, for the purge mark.</summary>
    public static HlcTimestamp MarkOf(Document document)
    {
        var newest = document.Newest;
        foreach (var cell in document.Cells)
            newest = HlcTimestamp.Max(newest, cell.Stamp);
        return newest;
    }

    /// <summary>Returns a stamp of the document that is not truncated, or none if all stamps are truncated.</summary>
    public static HlcTimestamp OneNotIn(VersionVector truncated, Document document)
    {
        foreach (var stamp in (ReadOnlySpan<HlcTimestamp>)[document.Born, document.Touched, document.Died])
        {
            if (!stamp.IsNone && !truncated.Contains(stamp))
                return stamp;
        }
        foreach (var cell in document.Cells)
        {
            if (!truncated.Contains(cell.Stamp))
                return cell.Stamp;
        }
        return HlcTimestamp.None;
    }

    static Document WithoutPurgeable(Document document, VersionVector truncated) =>
        document.Filter(cell => !IsPurgeable(cell, document.Born, truncated));

    static bool IsPurgeable(DocumentCell cell, HlcTimestamp born, VersionVector truncated) => !cell.IsShown(born) && truncated.Contains(cell.Stamp);
}
