namespace Datacake.EventualConsistency;

/// <summary>Takes the values under which an index finds a document.</summary>
public sealed class IndexValues
{
    readonly OrderedKeyWriter _writer = new();
    readonly List<byte[]> _values = [];
    readonly byte[] _key = new byte[DocumentKey.MaxLength];
    int _keyLength;

    /// <summary>Gets the encoded key of the document, for an index of a part of it.</summary>
    public ReadOnlySpan<byte> Key => _key.AsSpan(0, _keyLength);

    /// <summary>Writes one value (of several columns, one after the other); <see cref="Add"/> ends it.</summary>
    public OrderedKeyWriter Writer => _writer;

    /// <summary>The document is found under what was written since the last call.</summary>
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

    /// <summary>The encoded values added, ascending and without repetitions; the collection is empty afterwards.</summary>
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
