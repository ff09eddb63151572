using System.Buffers;

namespace Datacake.Crdt;

/// <summary>
/// A builder of the content of a put or an update. Cells that are added in ascending order of their paths need not be sorted.
/// Not thread-safe.
/// </summary>
public sealed class DocumentContentBuilder
{
    readonly ArrayBufferWriter<byte> _cells;
    readonly List<Range> _ranges = [];
    int _lastPathStart;
    int _lastPathLength;
    bool _isSorted = true;

    /// <summary>Creates a builder with an initial capacity in bytes.</summary>
    public DocumentContentBuilder(int capacity = 256) => _cells = new(Math.Max(capacity, 16));

    /// <summary>Gets the number of cells added so far.</summary>
    public int Count => _ranges.Count;

    /// <summary>Sets the value at an encoded path.</summary>
    /// <exception cref="ArgumentException">The bytes are not a path, or the value is not valid for a counter share.</exception>
    public void Set(ReadOnlySpan<byte> encodedPath, ReadOnlySpan<byte> value) =>
        Add(new DocumentCell(encodedPath, default, isRemoved: false, value));

    /// <summary>Removes the value at an encoded path.</summary>
    /// <exception cref="ArgumentException">The bytes are not a path.</exception>
    public void Remove(ReadOnlySpan<byte> encodedPath) => Add(new DocumentCell(encodedPath, default, isRemoved: true, []));

    /// <summary>Returns the cells added so far and clears the builder, also if it throws.</summary>
    /// <exception cref="InvalidOperationException">A path was added twice.</exception>
    public DocumentContent Build()
    {
        try
        {
            return new DocumentContent(_isSorted ? _cells.WrittenSpan.ToArray() : Sort(), _ranges.Count);
        }
        finally
        {
            _cells.ResetWrittenCount();
            _ranges.Clear();
            _isSorted = true;
        }
    }

    void Add(DocumentCell cell)
    {
        if (!DocumentPath.IsValid(cell.EncodedPath))
            throw new ArgumentException(DocumentPath.Invalid(cell.EncodedPath).Message);
        if (cell.Kind == DocumentPathKind.CounterShare && !cell.IsRemoved && !CounterValue.IsValid(cell.Value))
            throw new ArgumentException(
                $"The value of {DocumentPath.Describe(cell.EncodedPath)} is not a counter share. Encode it with {nameof(CounterValue)}.");
        int start = _cells.WrittenCount;
        if (_ranges.Count > 0)
            _isSorted &= LastPath.SequenceCompareTo(cell.EncodedPath) < 0;
        _cells.Advance(Document.WriteCell(_cells.GetSpan(Document.MaxSizeOf(cell)), cell, born: default, touched: default));
        _lastPathStart = start + 1 + EncodedInteger.SizeOf((uint)cell.EncodedPath.Length);
        _lastPathLength = cell.EncodedPath.Length;
        _ranges.Add(start.._cells.WrittenCount);
    }

    ReadOnlySpan<byte> LastPath => _cells.WrittenSpan.Slice(_lastPathStart, _lastPathLength);

    byte[] Sort()
    {
        _ranges.Sort((a, b) => PathOf(a).SequenceCompareTo(PathOf(b)));
        var sorted = new ArrayBufferWriter<byte>(_cells.WrittenCount);
        for (int i = 0; i < _ranges.Count; i++)
        {
            if (i > 0 && PathOf(_ranges[i - 1]).SequenceEqual(PathOf(_ranges[i])))
                throw new InvalidOperationException($"The path {DocumentPath.Describe(PathOf(_ranges[i]))} was added twice. Add it once.");
            sorted.Write(_cells.WrittenSpan[_ranges[i]]);
        }
        return sorted.WrittenSpan.ToArray();
    }

    ReadOnlySpan<byte> PathOf(Range cell)
    {
        var rest = _cells.WrittenSpan[cell][1..];
        return EncodedInteger.Take(ref rest, EncodedInteger.Read(ref rest));
    }
}
