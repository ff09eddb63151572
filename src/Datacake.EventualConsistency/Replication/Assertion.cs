using System.Text;
using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// A note in a document that its put asserts an older document again [R13]. A put supersedes everything older, and so do the writes that its author had
/// not heard of; by this note their authors see which of their writes that are. It goes when the put is truncated, since every member has seen it then.
/// </summary>
/// <param name="Over">The puts that the document had before, oldest first; the oldest of a long series are left out.</param>
/// <param name="Known">What the author of the assertion knew of all nodes.</param>
sealed record Assertion(IReadOnlyList<HlcTimestamp> Over, VersionVector Known)
{
    const int MaxOver = 8;

    /// <summary>Puts what a document shows under a new stamp. The shares of counters stay those of the runs that they are of.</summary>
    public static Document Of(Document document, HlcTimestamp stamp, VersionVector known, bool isDead)
    {
        var cells = new DocumentContentBuilder(document.Encoded.Length);
        cells.Set(DocumentPath.Assertion.Encoded.Span, new Assertion(LineageOf(document), known).Encode());
        foreach (var cell in document.Cells)
        {
            if (cell.IsShown(document.Born))
                cells.Set(PathIn(stamp, cell), cell.Value);
        }
        var again = Document.Put(stamp, cells.Build());
        return isDead ? Document.Merge(again, Document.Delete(stamp)) : again;
    }

    /// <summary>Finds the note in a document whose newest put is an assertion.</summary>
    /// <exception cref="InvalidDataException">There is one that cannot be read.</exception>
    public static Assertion? Find(Document document) =>
        document.TryGetCell(DocumentPath.Assertion.Encoded.Span, out var cell) && !cell.IsRemoved ? Decode(cell.Value.ToArray()) : null;

    /// <summary>
    /// Returns what this node has to write again, now that an assertion takes the place of a document with writes of this node that the assertion's
    /// author did not know; <see langword="null"/> if nothing. So each write is written again by one node only: the one that made it. Only a whole document
    /// that the other did not know is put again by everyone who has it, since what others have written on it would be gone before its author is heard.
    /// </summary>
    /// <param name="mine">The document as it was here.</param>
    /// <param name="asserted">The one that takes its place.</param>
    /// <param name="author">This node, and its run.</param>
    /// <param name="stamp">The stamp of the transaction to write.</param>
    /// <param name="known">What this node knew when the document was as it was here.</param>
    /// <param name="policy">The policy of the keyspace.</param>
    public static Document? WriteAgain(
        Document mine, Document asserted, (byte Node, HlcTimestamp Run) author, HlcTimestamp stamp, VersionVector known, MergePolicy policy)
    {
        if (mine.Born >= asserted.Born || Find(asserted) is not { } assertion)
            return null;
        if (!mine.IsAlive(policy))
            return IsOvertaken(mine.Died) && asserted.IsAlive(policy) ? Document.Delete(stamp) : null;
        var lineage = LineageOf(mine);
        bool isSameDocument = lineage.Any(assertion.Over.Contains);
        // Whoever knows any put of this document decides between the two by stamps, or they would be asserted against each other forever.
        if (!isSameDocument && !mine.Born.IsNone && !lineage.Any(assertion.Known.Contains))
            return Of(mine, stamp, known, isDead: false);

        // The share of an earlier run may be greater there than here, if its last increments are lost here.
        bool knowsShares = known.Covers(assertion.Known.OfNode(author.Node));
        var cells = new DocumentContentBuilder();
        foreach (var cell in mine.Cells)
        {
            bool isAgain = cell.Kind == DocumentPathKind.CounterShare
                // Who made the increments of a run knows its share best, whoever wrote the share last.
                ? isSameDocument && cell.ShareBorn == mine.Born && cell.ShareRun.Node == author.Node && !assertion.Known.Contains(cell.Stamp)
                    && (cell.ShareRun == author.Run || knowsShares)
                : cell.Kind != DocumentPathKind.Assertion && IsOvertaken(cell.Stamp) && (isSameDocument || (cell.Stamp > assertion.Over[^1] && cell.Stamp != mine.Born));
            if (!isAgain)
                continue;
            if (cell.IsRemoved)
                cells.Remove(PathIn(asserted.Born, cell));
            else
                cells.Set(PathIn(asserted.Born, cell), cell.Value);
        }
        bool isRevival = IsOvertaken(mine.Touched) && !asserted.IsAlive(policy);
        return cells.Count > 0 || isRevival ? Document.Update(stamp, cells.Build()) : null;

        bool IsOvertaken(HlcTimestamp write) => !write.IsNone && write.Node == author.Node && !assertion.Known.Contains(write);
    }

    /// <summary>Returns the puts that a document has had, its own included, oldest first.</summary>
    static IReadOnlyList<HlcTimestamp> LineageOf(Document document)
    {
        IReadOnlyList<HlcTimestamp> over = Find(document)?.Over ?? [];
        return [.. over.Skip(over.Count - MaxOver + 1), document.Born];
    }

    /// <summary>Returns the path of a cell in a document with another put.</summary>
    static ReadOnlySpan<byte> PathIn(HlcTimestamp born, DocumentCell cell) => cell.Kind == DocumentPathKind.CounterShare
        ? DocumentPath.OfCounterShare(Encoding.UTF8.GetString(cell.Property), born, cell.ShareRun).Encoded.Span
        : cell.EncodedPath;

    byte[] Encode() => Record.Encode(this, static (ref writer, assertion) =>
    {
        Record.WriteStamps(ref writer, [.. assertion.Over]);
        Record.WriteVector(ref writer, assertion.Known);
    });

    static Assertion Decode(ReadOnlyMemory<byte> encoded) => Record.Decode(encoded, "an assertion", static (ref reader) =>
        Record.ReadStamps(ref reader) is { Length: > 0 and <= MaxOver } over
            ? new Assertion(over, Record.ReadVector(ref reader))
            : throw new InvalidDataException("An assertion names no put, or too many."));
}
