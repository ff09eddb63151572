namespace Datacake.Crdt;

/// <summary>The cells of a document in ascending order of their paths, for <c>foreach</c>.</summary>
public ref struct DocumentCells
{
    readonly HlcTimestamp _born;
    readonly HlcTimestamp _touched;
    ReadOnlySpan<byte> _rest;

    internal DocumentCells(ReadOnlySpan<byte> cells, HlcTimestamp born, HlcTimestamp touched)
    {
        _rest = cells;
        _born = born;
        _touched = touched;
    }

    /// <summary>The cell that <see cref="MoveNext"/> found.</summary>
    public DocumentCell Current { get; private set; }

    internal readonly ReadOnlySpan<byte> Rest => _rest;

    /// <summary>The cells from here on.</summary>
    public readonly DocumentCells GetEnumerator() => this;

    /// <summary>Goes to the next cell.</summary>
    public bool MoveNext()
    {
        if (_rest.IsEmpty)
            return false;
        var flags = (CellFlags)_rest[0];
        _rest = _rest[1..];
        var path = EncodedInteger.Take(ref _rest, EncodedInteger.Read(ref _rest));
        var stamp = (flags & CellFlags.StampMask) switch
        {
            CellFlags.StampIsBorn => _born,
            CellFlags.StampIsTouched => _touched,
            _ => HlcTimestamp.Read(EncodedInteger.Take(ref _rest, HlcTimestamp.Size)),
        };
        bool isRemoved = (flags & CellFlags.Removed) != 0;
        var value = isRemoved ? [] : EncodedInteger.Take(ref _rest, EncodedInteger.Read(ref _rest));
        Current = new DocumentCell(path, stamp, isRemoved, value);
        return true;
    }
}
