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

    /// <summary>
    /// Validates the header of an encoded document and returns a view of it, whose cells are validated as far as they are read. For bytes that were validated
    /// when they were stored and are protected by a checksum.
    /// </summary>
    /// <exception cref="InvalidDataException">The header is invalid, or the document is in a newer format.</exception>
    public static DocumentView ParseHeader(ReadOnlySpan<byte> encoded) => Document.ReadHeader(encoded);

    /// <summary>Finds the value of a cell by its encoded path. Returns false if there is no such cell, its value was removed, or the cells are invalid.</summary>
    public bool TryGetValue(ReadOnlySpan<byte> encodedPath, out ReadOnlySpan<byte> value)
    {
        // Called for every document of a scan, so that cells before the one sought are skipped without creating them.
        var cells = Encoded[CellsStart..];
        for (uint at = 0; at < (uint)cells.Length;)
        {
            var flags = (CellFlags)cells[(int)at++];
            if (!TryReadLength(cells, ref at, out uint pathLength))
                break;
            bool isSought = pathLength == (uint)encodedPath.Length && cells.Slice((int)at, (int)pathLength).SequenceEqual(encodedPath);
            at += pathLength + ((flags & CellFlags.StampMask) == 0 ? (uint)HlcTimestamp.Size : 0);
            if ((flags & CellFlags.Removed) != 0)
            {
                if (isSought)
                    break;
                continue;
            }
            if (!TryReadLength(cells, ref at, out uint length))
                break;
            if (isSought)
            {
                value = cells.Slice((int)at, (int)length);
                return true;
            }
            at += length;
        }
        value = default;
        return false;

        // Reads the length of the bytes that follow, all of which must be there.
        static bool TryReadLength(ReadOnlySpan<byte> cells, ref uint at, out uint length)
        {
            length = 0;
            if (at >= (uint)cells.Length)
                return false;
            length = cells[(int)at];
            if (length < 0x80)
            {
                at++;
            }
            else
            {
                var rest = cells[(int)at..];
                if (!EncodedInteger.TryRead(ref rest, out length))
                    return false;
                at = (uint)(cells.Length - rest.Length);
            }
            return length <= (uint)cells.Length - at;
        }
    }

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
