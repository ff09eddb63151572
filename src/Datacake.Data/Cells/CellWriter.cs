using System.ComponentModel;
using Datacake.Crdt;
using Datacake.Data.Cells;
using Datacake.EventualConsistency;

namespace Datacake.Data.CodeGeneration;

/// <summary>A writer that collects the cells of one entity at a time. Not thread-safe. For generated code.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public sealed class CellWriter
{
    // Marks an owned object, a set or a dictionary as present, even if it is empty. If it is null, its marker is nil.
    static ReadOnlySpan<byte> Present => [0xC3];
    static ReadOnlySpan<byte> Nil => [0xC0];

    readonly DocumentContentBuilder _cells = new();
    readonly ValueWriter _element = new();
    readonly ValueWriter _value = new();
    readonly List<CounterIncrement> _counters = [];
    byte[] _path = new byte[64];

    /// <summary>Writes a property that is a single value.</summary>
    public void Write<T>(CellPath path, ValueCodec<T> codec, T value)
    {
        _value.Clear();
        try
        {
            codec.Write(_value, value);
        }
        catch (ArgumentException e) when (e is not PropertyValueException)
        {
            throw new PropertyValueException(path.Name, $"cannot be stored: {ValueProblems.ReasonOf(e)}", e);
        }
        _cells.Set(path.Property, _value.Written);
    }

    /// <summary>Writes whether an owned object is present.</summary>
    public void WriteMarker(CellPath path, bool isPresent) => _cells.Set(path.Property, isPresent ? Present : Nil);

    /// <summary>Writes the value of a counter.</summary>
    public void WriteCounter(CellPath path, long value) => _counters.Add(new CounterIncrement(path.Name, value));

    /// <summary>Writes the value of a counter with bounds.</summary>
    public void WriteCounter(CellPath path, long value, long? minimum, long? maximum) =>
        _counters.Add(new CounterIncrement(path.Name, value) { Minimum = minimum, Maximum = maximum });

    /// <summary>Writes a set, with a cell for each element.</summary>
    public void WriteSet<T>(CellPath path, ScalarCodec<T> codec, IEnumerable<T>? elements)
    {
        WriteMarker(path, elements is not null);
        foreach (var element in elements ?? [])
            _cells.Set(PathOf(path, codec, element), Present);
    }

    /// <summary>Writes a dictionary, with a cell for each entry.</summary>
    public void WriteDictionary<TKey, TValue>(
        CellPath path, ScalarCodec<TKey> keyCodec, ValueCodec<TValue> valueCodec, IEnumerable<KeyValuePair<TKey, TValue>>? entries)
    {
        WriteMarker(path, entries is not null);
        foreach (var (key, value) in entries ?? [])
        {
            _value.Clear();
            try
            {
                valueCodec.Write(_value, value);
            }
            catch (ArgumentException e) when (e is not PropertyValueException)
            {
                throw new PropertyValueException(path.Name, $"has a value that cannot be stored: {ValueProblems.ReasonOf(e)}", e);
            }
            _cells.Set(PathOf(path, keyCodec, key), _value.Written);
        }
    }

    internal EntityContent Build()
    {
        var content = new EntityContent(_cells.Build(), _counters.Count == 0 ? [] : [.. _counters]);
        _counters.Clear();
        return content;
    }

    /// <summary>Discards what a failed write left behind.</summary>
    internal void Reset()
    {
        if (_cells.Count > 0)
            _cells.Build();
        _counters.Clear();
    }

    ReadOnlySpan<byte> PathOf<T>(CellPath path, ScalarCodec<T> codec, T element)
    {
        if (element is null)
            throw new PropertyValueException(path.Name, "has a null element, which cannot be stored. Remove it.");
        _element.Clear();
        try
        {
            codec.WriteElement(_element, element);
        }
        catch (ArgumentException e) when (e is not PropertyValueException)
        {
            throw new PropertyValueException(path.Name, $"has an element that cannot be stored: {ValueProblems.ReasonOf(e)}", e);
        }
        var encoded = _element.Written;
        if (encoded.Length > DocumentPath.MaxElementLength)
        {
            throw new PropertyValueException(
                path.Name, $"has an element of {encoded.Length} encoded bytes. The limit is {DocumentPath.MaxElementLength}.");
        }
        int length = path.ElementPrefix.Length + encoded.Length;
        if (_path.Length < length)
            _path = new byte[length * 2];
        path.ElementPrefix.CopyTo(_path, 0);
        encoded.CopyTo(_path.AsSpan(path.ElementPrefix.Length));
        return _path.AsSpan(0, length);
    }
}
