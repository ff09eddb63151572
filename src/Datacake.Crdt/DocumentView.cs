namespace Datacake.Crdt;

/// <summary>An encoded document, checked and read in place: a <see cref="Document"/> without an object and a copy.</summary>
public readonly ref struct DocumentView
{
    internal DocumentView(ReadOnlySpan<byte> encoded, HlcTimestamp born, HlcTimestamp touched, HlcTimestamp died, int cellsStart)
    {
        Encoded = encoded;
        Born = born;
        Touched = touched;
        Died = died;
        CellsStart = cellsStart;
    }

    /// <summary>The encoded document.</summary>
    public ReadOnlySpan<byte> Encoded { get; }

    /// <inheritdoc cref="Document.Born"/>
    public HlcTimestamp Born { get; }

    /// <inheritdoc cref="Document.Touched"/>
    public HlcTimestamp Touched { get; }

    /// <inheritdoc cref="Document.Died"/>
    public HlcTimestamp Died { get; }

    /// <inheritdoc cref="Document.Cells"/>
    public DocumentCells Cells => new(Encoded[CellsStart..], Born, Touched);

    internal int CellsStart { get; }

    /// <summary>Checks all of an encoded document.</summary>
    /// <exception cref="InvalidDataException">The bytes are not a document, or one of a newer format.</exception>
    public static DocumentView Parse(ReadOnlySpan<byte> encoded) => Document.Read(encoded, out _);

    /// <inheritdoc cref="Document.IsAlive"/>
    public bool IsAlive(MergePolicy policy) => (policy == MergePolicy.DeleteWins ? Born : HlcTimestamp.Max(Born, Touched)) > Died;
}
