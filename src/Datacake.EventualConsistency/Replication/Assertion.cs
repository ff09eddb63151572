using System.Text;
using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// A note in a document that marks the document's put as an assertion of an older document [R13]. A put supersedes everything older,
/// including writes that its author had not heard of. The note tells the authors of such writes which of them were superseded. It is purged
/// when the put is truncated, because every member has seen it by then.
/// </summary>
/// <remarks>See PROTOCOL.md: assertion, note of an assertion.</remarks>
/// <param name="Over">The earlier puts of the document, oldest first. Of a long series, the oldest are omitted.</param>
/// <param name="Known">The known set of the author of the assertion.</param>
sealed record Assertion(IReadOnlyList<HlcTimestamp> Over, VersionVector Known)
{
    const int MaxOver = 8;

    /// <summary>Puts what a document shows under a new stamp. Counter shares keep their runs.</summary>
    public static Document Of(Document document, HlcTimestamp stamp, VersionVector known, bool isDead)
    {
        var cells = new DocumentContentBuilder(document.Encoded.Length);
        cells.Set(DocumentPath.Assertion.Encoded.Span, new Assertion(LineageOf(document), known).Encode());
        foreach (var cell in document.Cells)
        {
            if (cell.IsShown(document.Born))
                cells.Set(PathIn(stamp, cell), cell.Value);
        }
        var again = Document.Put(stamp, cells.Build(), document.Expires);
        return isDead ? Document.Merge(again, Document.Delete(stamp)) : again;
    }

    /// <summary>Returns the note of a document whose newest put is an assertion, or null.</summary>
    /// <exception cref="InvalidDataException">The note cannot be read.</exception>
    public static Assertion? Find(Document document) =>
        document.TryGetCell(DocumentPath.Assertion.Encoded.Span, out var cell) && !cell.IsRemoved ? Decode(cell.Value.ToArray()) : null;

    /// <summary>
    /// Returns the change that this node must write again when an assertion replaces a document: its own writes that the author of the
    /// assertion did not know; <see langword="null"/> if there are none. Each write is written again only by the node that made it. The
    /// exception is a whole document that the author did not know: every node that has it puts it again, because other nodes' writes to it
    /// would be lost before the author of the document reacts.
    /// </summary>
    /// <param name="mine">The document as it was here.</param>
    /// <param name="asserted">The assertion that replaces it.</param>
    /// <param name="author">This node, and its run.</param>
    /// <param name="stamp">The stamp of the transaction to write.</param>
    /// <param name="known">The known set of this node before the replacement.</param>
    /// <param name="policy">The merge policy of the keyspace.</param>
    public static Document? WriteAgain(
        Document mine, Document asserted, (byte Node, HlcTimestamp Run) author, HlcTimestamp stamp, VersionVector known, MergePolicy policy)
    {
        if (mine.Born >= asserted.Born || Find(asserted) is not { } assertion)
            return null;
        if (!mine.IsAlive(policy))
            return IsOvertaken(mine.Died) && asserted.IsAlive(policy) ? Document.Delete(stamp) : null;
        var lineage = LineageOf(mine);
        bool isSameDocument = lineage.Any(assertion.Over.Contains);
        // An author that knew any put of this document has decided between the two documents by their stamps. Otherwise two nodes would
        // assert their documents against each other forever.
        if (!isSameDocument && !mine.Born.IsNone && !lineage.Any(assertion.Known.Contains))
            return Of(mine, stamp, known, isDead: false);

        // The share of an earlier run may be greater at the author of the assertion, if the last increments of that run were lost here.
        bool knowsShares = known.Covers(assertion.Known.OfNode(author.Node));
        var cells = new DocumentContentBuilder();
        foreach (var cell in mine.Cells)
        {
            bool isAgain = cell.Kind == DocumentPathKind.CounterShare
                // The node that made the increments of a run has the best value of their share, regardless of who wrote the share last.
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

    /// <summary>Returns the puts of a document, oldest first, including the current one.</summary>
    public static IReadOnlyList<HlcTimestamp> LineageOf(Document document)
    {
        IReadOnlyList<HlcTimestamp> over = Find(document)?.Over ?? [];
        return [.. over.Skip(over.Count - MaxOver + 1), document.Born];
    }

    /// <summary>Returns the path that a cell has in a document with another put.</summary>
    static ReadOnlySpan<byte> PathIn(HlcTimestamp born, DocumentCell cell) => cell.Kind == DocumentPathKind.CounterShare
        ? DocumentPath.OfCounterShare(Encoding.UTF8.GetString(cell.Property), born, cell.ShareRun).Encoded.Span
        : cell.EncodedPath;

    byte[] Encode() => Record.Encode(this, static (ref writer, assertion) =>
    {
        Record.WriteStamps(ref writer, [.. assertion.Over]);
        Record.WriteVector(ref writer, assertion.Known);
    });

    static Assertion Decode(ReadOnlyMemory<byte> encoded) => Record.DecodeBeginning(encoded, "an assertion", static (ref reader) =>
        Record.ReadStamps(ref reader) is { Length: > 0 and <= MaxOver } over
            ? new Assertion(over, Record.ReadVector(ref reader))
            : throw new InvalidDataException("An assertion has no earlier put, or too many."));
}
