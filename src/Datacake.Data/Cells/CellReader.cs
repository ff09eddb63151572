using System.ComponentModel;
using Datacake.Crdt;
using Datacake.Data.Cells;
using Datacake.EventualConsistency;

namespace Datacake.Data.CodeGeneration;

/// <summary>
/// A reader of the visible cells of a document that belong to properties of the model. It skips all other cells. A copy of the reader
/// advances independently. For generated code.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public ref struct CellReader
{
    readonly CellPath[] _paths;
    readonly HlcTimestamp _born;
    readonly EntityContent? _content;
    readonly int[]? _columns;       // the slots of the columns if the cells are those of an index entry; otherwise null
    readonly ReadAheadProbe? _probe;
    bool[]? _wanted;
    DocumentCells _cells;
    OrderedKeyReader _indexed;
    int _nextColumn;
    ReadOnlySpan<byte> _path;
    ReadOnlySpan<byte> _value;
    int _nextCounter;
    long _share;

    /// <param name="paths">The properties of the model.</param>
    /// <param name="document">The document.</param>
    /// <param name="wanted">For each property, true if it is read; null to read all properties.</param>
    internal CellReader(CellPath[] paths, DocumentView document, bool[]? wanted = null)
    {
        _paths = paths;
        _wanted = wanted;
        _born = document.Born;
        _cells = document.Cells;
        Slot = -1;
    }

    internal CellReader(CellPath[] paths, EntityContent content)
    {
        _paths = paths;
        _content = content;
        _cells = content.Cells.GetEnumerator();
        Slot = -1;
    }

    /// <summary>Creates a reader of the columns of an index entry.</summary>
    /// <param name="paths">The properties of the model.</param>
    /// <param name="indexValue">The encoded value of the entry, which is not cut off. All columns are ascending.</param>
    /// <param name="columns">For each column, the index of its property, or -1 if it is a part of the key.</param>
    /// <param name="wanted">For each property, true if it is read.</param>
    internal CellReader(CellPath[] paths, ReadOnlySpan<byte> indexValue, int[] columns, bool[] wanted)
    {
        _paths = paths;
        _wanted = wanted;
        _columns = columns;
        _indexed = new OrderedKeyReader(indexValue);
        Slot = -1;
    }

    /// <summary>Creates a reader without cells that notes whether the entity reads ahead.</summary>
    internal CellReader(CellPath[] paths, ReadAheadProbe probe)
    {
        _paths = paths;
        _columns = [];
        _probe = probe;
        Slot = -1;
    }

    /// <summary>Gets the index of the model property that the cell belongs to.</summary>
    public int Slot { get; private set; }

    /// <summary>True if the cell is an element of a set or an entry of a dictionary.</summary>
    public bool IsElement { get; private set; }

    /// <summary>True if the cell is a share of a counter.</summary>
    public bool IsShare { get; private set; }

    /// <summary>True if the cell's value is nil.</summary>
    public readonly bool IsNil => !IsShare && (_columns is null ? new ValueReader(_value).IsNil : new OrderedKeyReader(_value).TryReadNull());

    /// <summary>True if the cell belongs to a raw document.</summary>
    internal readonly bool IsRaw => Slot < 0 && !_value.IsEmpty && _path.IsEmpty;

    /// <summary>Gets the name of the property that the cell belongs to; empty if there is none.</summary>
    internal readonly string Property => Slot >= 0 ? _paths[Slot].Name : "";

    /// <summary>Advances to the next cell. Returns false at the end.</summary>
    public bool Read()
    {
        if (_columns is not null)
            return ReadColumn();
        while (_cells.MoveNext())
        {
            var cell = _cells.Current;
            _path = cell.EncodedPath;
            _value = cell.Value;
            // Cells are ordered by path, so the next cell usually belongs to the next property.
            int next = Slot + 1;
            if (next < _paths.Length && !cell.IsRemoved && _path.SequenceEqual(_paths[next].Property))
            {
                Slot = next;
                IsElement = IsShare = false;
            }
            else if (_path.IsEmpty && !cell.IsRemoved)
                throw new InvalidDataException("It is a raw document, not an entity.");
            else if (!TryFind(cell))
                continue;
            if (_wanted?[Slot] != false)
                return true;
        }
        while (_content is not null && _nextCounter < _content.Counters.Count)
        {
            var counter = _content.Counters[_nextCounter++];
            Slot = Array.FindIndex(_paths, path => path.Name == counter.Property);
            IsElement = false;
            IsShare = true;
            _share = counter.Amount;
            return true;
        }
        return false;
    }

    /// <summary>Reads the cell's value.</summary>
    /// <exception cref="InvalidDataException">The bytes are not a value of the type.</exception>
    public readonly T Value<T>(ValueCodec<T> codec)
    {
        if (IsShare)
            throw new InvalidDataException("It is stored as a counter, but the class does not declare it as one.");
        if (_columns is not null)
        {
            var indexed = new OrderedKeyReader(_value);
            return indexed.TryReadNull() ? default! : codec.ReadIndexed(ref indexed);
        }
        var reader = new ValueReader(_value);
        return codec.Read(ref reader);
    }

    /// <summary>Reads the element of the set, or the key of the dictionary entry.</summary>
    /// <exception cref="InvalidDataException">The bytes are not a value of the type.</exception>
    public readonly T Element<T>(ScalarCodec<T> codec)
    {
        var reader = new ValueReader(_path[_paths[Slot].ElementPrefix.Length..]);
        return codec.Read(ref reader);
    }

    /// <summary>
    /// Reads the amount that the cell contributes to the counter: a share, or the value stored before the property became a counter.
    /// </summary>
    /// <exception cref="InvalidDataException">The bytes are not an integer.</exception>
    public readonly long Share() => IsShare ? _share : IsNil ? 0 : Value(ValueCodecs.Int64);

    /// <summary>
    /// Reads the value of a property ahead of the current cell, for use as a constructor argument. Returns <paramref name="missing"/> if
    /// there is no such cell.
    /// </summary>
    /// <exception cref="InvalidDataException">The bytes are not a value of the type.</exception>
    public readonly T Peek<T>(int slot, ValueCodec<T> codec, T missing)
    {
        _probe?.HasReadAhead = true;
        // The constructor may require the value even if the query does not read the property.
        var ahead = this with { _wanted = null };
        while (ahead.Read())
        {
            if (ahead.Slot == slot)
                return ahead.IsNil && missing is not null ? missing : ahead.Value(codec);
        }
        return missing;
    }

    bool ReadColumn()
    {
        while (_nextColumn < _columns!.Length)
        {
            Slot = _columns[_nextColumn++];
            _value = _indexed.ReadEncoded();
            if (Slot >= 0 && _wanted![Slot])
                return true;
        }
        return false;
    }

    /// <summary>Selects a cell if it is visible and its property is in the model.</summary>
    bool TryFind(DocumentCell cell)
    {
        if (!cell.IsShown(_born) || cell.Kind == DocumentPathKind.Root || !TryFind(cell.Property))
            return false;
        IsElement = cell.Kind == DocumentPathKind.Element;
        IsShare = cell.Kind == DocumentPathKind.CounterShare;
        if (IsShare)
            _share = CounterValue.Read(cell.Value);
        return true;
    }

    bool TryFind(ReadOnlySpan<byte> property)
    {
        // The elements of a set are adjacent, and unknown or missing properties are rare, so one of the first comparisons usually succeeds.
        int first = Math.Max(Slot, 0);
        for (int i = 0; i < _paths.Length; i++)
        {
            int slot = first + i < _paths.Length ? first + i : first + i - _paths.Length;
            if (property.SequenceEqual(_paths[slot].Utf8Name))
            {
                Slot = slot;
                return true;
            }
        }
        return false;
    }
}
