namespace Datacake.Crdt;

/// <summary>
/// The cells of a put or an update whose transaction has no stamp yet. Created by a <see cref="DocumentContentBuilder"/>. Immutable.
/// </summary>
public sealed class DocumentContent
{
    readonly ReadOnlyMemory<byte> _cells;

    // The cells are encoded as those of a put, which omit the stamp.
    internal DocumentContent(ReadOnlyMemory<byte> cells, int count)
    {
        _cells = cells;
        Count = count;
    }

    /// <summary>Gets the content without cells.</summary>
    public static DocumentContent Empty { get; } = new(default, 0);

    /// <summary>Gets the number of cells.</summary>
    public int Count { get; }

    /// <summary>Gets the size of the encoded cells in bytes.</summary>
    public int Length => _cells.Length;

    internal ReadOnlySpan<byte> Cells => _cells.Span;

    /// <summary>Creates the content of a raw document.</summary>
    public static DocumentContent OfRaw(ReadOnlySpan<byte> value)
    {
        var cell = new DocumentCell([], default, isRemoved: false, value);
        var cells = new byte[Document.MaxSizeOf(cell)];
        return new(cells.AsMemory(0, Document.WriteCell(cells, cell, born: default, touched: default)), count: 1);
    }

    /// <summary>Returns the cells in ascending order of their paths. Their stamps are <see cref="HlcTimestamp.None"/>.</summary>
    public DocumentCells GetEnumerator() => new(_cells.Span, default, default);
}
