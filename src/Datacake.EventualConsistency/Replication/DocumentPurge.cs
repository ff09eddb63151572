using Datacake.Crdt;

namespace Datacake.EventualConsistency.Replication;

/// <summary>The purge of a single document [R11], for everything that truncates, or that merges with what others have truncated.</summary>
static class DocumentPurge
{
    /// <summary>
    /// Returns what is left of a document: nothing, if it is dead and all its stamps are truncated; else the document without those removed cells, and
    /// shares of older puts' counters, whose stamps are truncated. Cells of a dead document stay, since an update that comes late revives all of it.
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

    /// <summary>Returns the greatest stamp of a document that is purged, for the purge mark.</summary>
    public static HlcTimestamp MarkOf(Document document)
    {
        var newest = document.Newest;
        foreach (var cell in document.Cells)
            newest = HlcTimestamp.Max(newest, cell.Stamp);
        return newest;
    }

    static Document WithoutPurgeable(Document document, VersionVector truncated) =>
        document.Filter(cell => !IsPurgeable(cell, document.Born, truncated));

    static bool IsPurgeable(DocumentCell cell, HlcTimestamp born, VersionVector truncated) => !cell.IsShown(born) && truncated.Contains(cell.Stamp);
}
