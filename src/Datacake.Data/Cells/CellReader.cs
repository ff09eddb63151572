using Datacake.Crdt;

namespace Datacake.Data.Metadata;

/// <summary>
/// Goes through the cells that a reader of a document sees, of the properties that the model knows; all others are passed over.
/// A copy goes on independently. For generated code.
/// </summary>
public ref struct CellReader
{
    readonly CellPath[] _paths;
    readonly HlcTimestamp _born;
    readonly EntityContent? _content;
    bool[]? _wanted;
    DocumentCells _cells;
    ReadOnlySpan<byte> _path;
    ReadOnlySpan<byte> _value;
    int _nextCounter;
    long _share;

    /// <param name="paths">The properties that the model knows.</param>
    /// <param name="document">The document.</param>
    /// <param name="wanted">Which of them are read; null: all.</param>
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

    /// <summary>Which of the model's properties the cell belongs to.</summary>
    public int Slot { get; private set; }

    /// <summary>Whether the cell is an element of a set or an entry of a dictionary.</summary>
    public bool IsElement { get; private set; }

    /// <summary>Whether the cell is a share of a counter.</summary>
    public bool IsShare { get; private set; }

    /// <summary>Whether the cell's value is nil.</summary>
    public readonly bool IsNil => !IsShare && new ValueReader(_value).IsNil;

    /// <summary>True if the cell is a raw document's.</summary>
    internal readonly bool IsRaw => Slot < 0 && !_value.IsEmpty && _path.IsEmpty;

    /// <summary>The name of the property that the cell belongs to.</summary>
    internal readonly string Property => Slot >= 0 ? _paths[Slot].Name : "";

    /// <summary>Goes to the next cell.</summary>
    public bool Read()
    {
        while (_cells.MoveNext())
        {
            var cell = _cells.Current;
            _path = cell.EncodedPath;
            _value = cell.Value;
            // Cells come in the order of the paths, so that a value is mostly that of the next property.
            int next = Slot + 1;
            if (next < _paths.Length && !cell.IsRemoved && _path.SequenceEqual(_paths[next].Property))
            {
                Slot = next;
                IsElement = IsShare = false;
            }
            else if (_path.IsEmpty && !cell.IsRemoved)
                throw new InvalidDataException("It is a raw document, and no entity.");
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

    /// <summary>The cell's value.</summary>
    /// <exception cref="InvalidDataException">The bytes are not a value of the type.</exception>
    public readonly T Value<T>(ValueCodec<T> codec)
    {
        if (IsShare)
            throw new InvalidDataException("It is a counter in the store and none in the entity class.");
        var reader = new ValueReader(_value);
        return codec.Read(ref reader);
    }

    /// <summary>The element of the set, or the key in the dictionary.</summary>
    /// <exception cref="InvalidDataException">The bytes are not a value of the type.</exception>
    public readonly T Element<T>(ScalarCodec<T> codec)
    {
        var reader = new ValueReader(_path[_paths[Slot].ElementPrefix.Length..]);
        return codec.Read(ref reader);
    }

    /// <summary>What the cell adds to the counter: a share, or the value from the time when the property was no counter.</summary>
    /// <exception cref="InvalidDataException">The bytes are not an integer.</exception>
    public readonly long Share() => IsShare ? _share : IsNil ? 0 : Value(ValueCodecs.Int64);

    /// <summary>The value of a property further on, for a constructor; <paramref name="missing"/> if there is none.</summary>
    /// <exception cref="InvalidDataException">The bytes are not a value of the type.</exception>
    public readonly T Peek<T>(int slot, ValueCodec<T> codec, T missing)
    {
        // What creates the object may refuse to go without it, wanted or not.
        var ahead = this with { _wanted = null };
        while (ahead.Read())
        {
            if (ahead.Slot == slot)
                return ahead.IsNil && missing is not null ? missing : ahead.Value(codec);
        }
        return missing;
    }

    /// <summary>Takes a cell, if it is one that a reader sees and the model knows.</summary>
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
        // Elements of one set follow each other, and what is not known or missing is rare: the first tries mostly succeed.
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
