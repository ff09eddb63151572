namespace Datacake.Crdt;

/// <summary>An enumerator of the cells of a document, in ascending order of their paths. Supports <c>foreach</c>.</summary>
public ref struct DocumentCells
{
    readonly HlcTimestamp _born;
    readonly HlcTimestamp _touched;
    ReadOnlySpan<byte> _rest;
    ReadOnlySpan<byte> _path;
    ReadOnlySpan<byte> _value;
    HlcTimestamp _stamp;
    bool _isRemoved;

    internal DocumentCells(ReadOnlySpan<byte> cells, HlcTimestamp born, HlcTimestamp touched)
    {
        _rest = cells;
        _born = born;
        _touched = touched;
    }

    /// <summary>Gets the cell that <see cref="MoveNext"/> moved to.</summary>
    public readonly DocumentCell Current => new(_path, _stamp, _isRemoved, _value);

    internal readonly ReadOnlySpan<byte> Rest => _rest;

    /// <summary>Returns an enumerator of the remaining cells.</summary>
    public readonly DocumentCells GetEnumerator() => this;

    /// <summary>Moves to the next cell. Returns false if there is none.</summary>
    public bool MoveNext()
    {
        if (_rest.IsEmpty)
            return false;
        var flags = (CellFlags)_rest[0];
        _rest = _rest[1..];
        _path = EncodedInteger.Take(ref _rest, EncodedInteger.Read(ref _rest));
        _stamp = (flags & CellFlags.StampMask) switch
        {
            CellFlags.StampIsBorn => _born,
            CellFlags.StampIsTouched => _touched,
            _ => HlcTimestamp.Read(EncodedInteger.Take(ref _rest, HlcTimestamp.Size)),
        };
        _isRemoved = (flags & CellFlags.Removed) != 0;
        _value = _isRemoved ? [] : EncodedInteger.Take(ref _rest, EncodedInteger.Read(ref _rest));
        return true;
    }
}
