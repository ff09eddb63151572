using System.ComponentModel;
using Datacake.Data.Values;
using Datacake.EventualConsistency;

namespace Datacake.Data.CodeGeneration;

/// <summary>
/// A codec of single values, which can be keys, set elements, dictionary keys and index columns. For generated code.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public abstract class ScalarCodec<T> : ValueCodec<T>, IOrderedCodec, IElementCodec, IIndexedCodec
{
    IReadOnlyList<ElementEquality> IElementCodec.Equalities => [new ElementEquality<T>()];

    internal override ValueShape Shape => new ScalarShape(typeof(T));

    object? IIndexedCodec.ReadKey(ref OrderedKeyReader reader) => ReadOrdered(ref reader);

    /// <summary>Writes a value in ordered form.</summary>
    public abstract void WriteOrdered(OrderedKeyWriter writer, T value);

    /// <summary>Writes a value as part of a key, in ordered form.</summary>
    /// <exception cref="ArgumentException">The value would be read back as a different one.</exception>
    public virtual void WriteKey(OrderedKeyWriter writer, T value) => WriteOrdered(writer, value);

    /// <summary>Reads a value that <see cref="WriteKey"/> wrote. Supported only by types that can be keys.</summary>
    /// <exception cref="InvalidDataException">The bytes are not a value of the type.</exception>
    public virtual T ReadOrdered(ref OrderedKeyReader reader) =>
        throw new NotSupportedException($"{typeof(T)} is not supported as the type of a key.");

    /// <summary>
    /// True if an index has the values exactly as they are stored. Others are only equal to them by comparison: a decimal loses its trailing zeros, and a date its kind.
    /// </summary>
    internal virtual bool IsExactInIndex => true;

    bool IIndexedCodec.IsExactInIndex => IsExactInIndex;

    internal override T ReadIndexed(ref OrderedKeyReader reader) => ReadOrdered(ref reader);

    /// <summary>Writes a value as an element of a set, so that equal values have equal bytes.</summary>
    public virtual void WriteElement(ValueWriter writer, T value) => Write(writer, value);

    /// <inheritdoc/>
    public virtual bool TryWriteOrdered(OrderedKeyWriter writer, object? value)
    {
        if (value is null)
            writer.WriteNull();
        else if (value is T typed)
            WriteOrdered(writer, typed);
        else
            return false;
        return true;
    }

    /// <inheritdoc/>
    public void CopyOrdered(ReadOnlySpan<byte> value, OrderedKeyWriter writer)
    {
        var reader = new ValueReader(value);
        if (reader.TryReadNil())
            writer.WriteNull();
        else
            WriteOrdered(writer, Read(ref reader));
    }
}
