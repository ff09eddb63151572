namespace Datacake.EventualConsistency.Indexes;

/// <summary>The values under which an index finds a document. An extractor writes them.</summary>
sealed class IndexValues
{
    readonly OrderedKeyWriter _writer = new();
    readonly List<byte[]> _values = [];
    readonly byte[] _key = new byte[DocumentKey.MaxLength];
    int _keyLength;

    /// <summary>Gets the encoded key of the document, for an index on a part of the key.</summary>
    public ReadOnlySpan<byte> Key => _key.AsSpan(0, _keyLength);

    /// <summary>Gets the writer of a value, which may consist of several columns in order. <see cref="Add"/> ends the value.</summary>
    public OrderedKeyWriter Writer => _writer;

    /// <summary>Adds the value that was written since the last call.</summary>
    public void Add()
    {
        _values.Add(_writer.Written[..Math.Min(_writer.Length, DocumentIndex.MaxValueLength)].ToArray());
        _writer.Truncate();
    }

    internal void Begin(ReadOnlySpan<byte> key)
    {
        key.CopyTo(_key);
        _keyLength = key.Length;
    }

    /// <summary>Returns the added values, encoded, in ascending order and without duplicates, and clears them.</summary>
    public IReadOnlyList<byte[]> Take()
    {
        _writer.Truncate();
        if (_values.Count < 2)
        {
            byte[][] few = [.. _values];
            _values.Clear();
            return few;
        }
        _values.Sort(static (a, b) => a.AsSpan().SequenceCompareTo(b));
        byte[][] values = [.. _values.Where((value, i) => i == 0 || !value.AsSpan().SequenceEqual(_values[i - 1]))];
        _values.Clear();
        return values;
    }
}
