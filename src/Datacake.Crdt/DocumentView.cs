namespace Datacake.Crdt;

/// <summary>A validated view of an encoded document: like <see cref="Document"/>, but without an allocation or a copy.</summary>
public readonly ref struct DocumentView
{
    internal DocumentView(ReadOnlySpan<byte> encoded, scoped in Document.Header header, int cellsStart)
    {
        Encoded = encoded;
        Header = header;
        CellsStart = cellsStart;
    }

    /// <summary>Gets the encoded document.</summary>
    public ReadOnlySpan<byte> Encoded { get; }

    /// <inheritdoc cref="Document.Born"/>
    public HlcTimestamp Born => Header.Born;

    /// <inheritdoc cref="Document.Touched"/>
    public HlcTimestamp Touched => Header.Touched;

    /// <inheritdoc cref="Document.Died"/>
    public HlcTimestamp Died => Header.Died;

    /// <inheritdoc cref="Document.Expires"/>
    public HlcTimestamp Expires => Header.Expires;

    /// <inheritdoc cref="Document.IsLapsed"/>
    public bool IsLapsed => Header.IsLapsed;

    /// <inheritdoc cref="Document.Cells"/>
    public DocumentCells Cells => new(Encoded[CellsStart..], Born, Touched);

    internal Document.Header Header { get; }

    internal int CellsStart { get; }

    /// <summary>Validates an encoded document in full and returns a view of it.</summary>
    /// <exception cref="InvalidDataException">The bytes are not a document, or are a document in a newer format.</exception>
    public static DocumentView Parse(ReadOnlySpan<byte> encoded) => Document.Read(encoded, out _);

    /// <inheritdoc cref="Document.IsAlive"/>
    public bool IsAlive(MergePolicy policy) => !IsLapsed && (policy == MergePolicy.DeleteWins ? Born : HlcTimestamp.Max(Born, Touched)) > Died;

    /// <summary>
    /// Returns true if readers see the document at an instant. It may have expired already while it is still alive to the replica, which removes it soon.
    /// </summary>
    /// <param name="now">The instant.</param>
    /// <param name="policy">The merge policy.</param>
    public bool IsAliveAt(HlcTimestamp now, MergePolicy policy) => IsAlive(policy) && !HasExpired(now);

    /// <summary>Returns true if the newest put has expired at an instant.</summary>
    public bool HasExpired(HlcTimestamp now) => !Expires.IsNone && Expires <= now;
}
