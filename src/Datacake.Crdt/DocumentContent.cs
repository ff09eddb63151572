namespace Datacake.Crdt;

/// <summary>
/// Cells that have no stamp yet: what a transaction puts into a document, or updates of it, before its stamp is drawn.
/// Made by a <see cref="DocumentContentBuilder"/>; immutable.
/// </summary>
public sealed class DocumentContent
{
    readonly ReadOnlyMemory<byte> _cells;

    // Encoded as the cells of a document whose put they are, which leaves out the stamp.
    internal DocumentContent(ReadOnlyMemory<byte> cells, int count)
    {
        _cells = cells;
        Count = count;
    }

    /// <summary>No cells.</summary>
    public static DocumentContent Empty { get; } = new(default, 0);

    /// <summary>How many cells there are.</summary>
    public int Count { get; }

    /// <summary>The size of the encoded cells in bytes.</summary>
    public int Length => _cells.Length;

    internal ReadOnlySpan<byte> Cells => _cells.Span;

    /// <summary>The content of a raw document.</summary>
    public static DocumentContent OfRaw(ReadOnlySpan<byte> value)
    {
        var cell = new DocumentCell([], default, isRemoved: false, value);
        var cells = new byte[Document.MaxSizeOf(cell)];
        return new(cells.AsMemory(0, Document.WriteCell(cells, cell, born: default, touched: default)), count: 1);
    }

    /// <summary>The cells in ascending order of their paths; all have the stamp <see cref="HlcTimestamp.None"/>.</summary>
    public DocumentCells GetEnumerator() => new(_cells.Span, default, default);
}
