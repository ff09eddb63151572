namespace Datacake.Crdt;

/// <summary>A validated view of an encoded document: like <see cref="Document"/>, but without an allocation or a copy.</summary>
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

    /// <summary>Gets the encoded document.</summary>
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

    /// <summary>Validates an encoded document in full and returns a view of it.</summary>
    /// <exception cref="InvalidDataException">The bytes are not a document, or are a document in a newer format.</exception>
    public static DocumentView Parse(ReadOnlySpan<byte> encoded) => Document.Read(encoded, out _);

    /// <inheritdoc cref="Document.IsAlive"/>
    public bool IsAlive(MergePolicy policy) => (policy == MergePolicy.DeleteWins ? Born : HlcTimestamp.Max(Born, Touched)) > Died;
}
