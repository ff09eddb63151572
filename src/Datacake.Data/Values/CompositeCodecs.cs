using System.Collections;
using System.Collections.Immutable;
using Datacake.Data.CodeGeneration;
using Datacake.EventualConsistency;

namespace Datacake.Data.Values;

sealed class NullableCodec<T>(ValueCodec<T> inner) : ValueCodec<T?>
    where T : struct
{
    internal override ValueShape Shape => inner.Shape;

    public override void Write(ValueWriter writer, T? value)
    {
        if (value is { } present)
            inner.Write(writer, present);
        else
            writer.WriteNil();
    }

    public override T? Read(ref ValueReader reader) => reader.TryReadNil() ? null : inner.Read(ref reader);

    internal override T? ReadIndexed(ref OrderedKeyReader reader) => reader.TryReadNull() ? null : inner.ReadIndexed(ref reader);

    public override void Check(T? value, ValueProblems problems)
    {
        if (value is { } present)
            inner.Check(present, problems);
    }
}

/// <summary>A codec of lists as one value: a MessagePack array.</summary>
sealed class ListCodec<T>(ValueCodec<T> item, bool areItemsRequired) : ValueCodec<List<T>>
{
    internal override ValueShape Shape => new ListShape(item.Shape, static values => (IEnumerable)values);

    public override void Write(ValueWriter writer, List<T> value) => SequenceCodec.Write(writer, value, item);

    public override List<T> Read(ref ValueReader reader) => SequenceCodec.Read(ref reader, item)!;

    public override void Check(List<T> value, ValueProblems problems) => problems.Items(value, item, areItemsRequired);
}

/// <summary>A codec of arrays as one value: a MessagePack array.</summary>
sealed class ArrayCodec<T>(ValueCodec<T> item, bool areItemsRequired) : ValueCodec<T[]>
{
    internal override ValueShape Shape => new ListShape(item.Shape, static values => (IEnumerable)values);

    public override void Write(ValueWriter writer, T[] value) => SequenceCodec.Write(writer, value, item);

    public override T[] Read(ref ValueReader reader) => SequenceCodec.Read(ref reader, item)?.ToArray()!;

    public override void Check(T[] value, ValueProblems problems) => problems.Items(value, item, areItemsRequired);
}

/// <summary>A codec of immutable arrays as one value: a MessagePack array, or nil for a default array.</summary>
sealed class ImmutableArrayCodec<T>(ValueCodec<T> item, bool areItemsRequired) : ValueCodec<ImmutableArray<T>>
{
    internal override ValueShape Shape => new ListShape(item.Shape, static values => (ImmutableArray<T>)values is { IsDefault: false } array ? array : null);

    public override void Write(ValueWriter writer, ImmutableArray<T> value) => SequenceCodec.Write(writer, value.IsDefault ? null : (IReadOnlyCollection<T>)value, item);

    public override ImmutableArray<T> Read(ref ValueReader reader) => SequenceCodec.Read(ref reader, item)?.ToImmutableArray() ?? default;

    public override void Check(ImmutableArray<T> value, ValueProblems problems)
    {
        if (!value.IsDefault)
            problems.Items(value, item, areItemsRequired);
    }
}

/// <summary>A codec of other collections as one value. An interface that a list implements is read as a list.</summary>
sealed class CollectionCodec<TCollection, T>(ValueCodec<T> item, bool areItemsRequired, Func<List<T>, TCollection>? create) : ValueCodec<TCollection>
    where TCollection : class, IEnumerable<T>
{
    internal override ValueShape Shape => new ListShape(item.Shape, static values => (IEnumerable)values);

    public override void Write(ValueWriter writer, TCollection value) =>
        SequenceCodec.Write(writer, value is null ? null : value as IReadOnlyCollection<T> ?? [.. value], item);

    public override TCollection Read(ref ValueReader reader)
    {
        var items = SequenceCodec.Read(ref reader, item);
        return items is null ? null! : create is null ? (items as TCollection)! : create(items);
    }

    public override void Check(TCollection value, ValueProblems problems) => problems.Items(value, item, areItemsRequired);
}

static class SequenceCodec
{
    public static void Write<T>(ValueWriter writer, IReadOnlyCollection<T>? values, ValueCodec<T> item)
    {
        if (values is null)
        {
            writer.WriteNil();
            return;
        }
        writer.WriteArrayHeader(values.Count);
        foreach (var value in values)
            item.Write(writer, value);
    }

    public static List<T>? Read<T>(ref ValueReader reader, ValueCodec<T> item)
    {
        if (reader.TryReadNil())
            return null;
        int count = reader.ReadArrayHeader();
        var values = new List<T>(count);
        for (int i = 0; i < count; i++)
            values.Add(item.Read(ref reader));
        return values;
    }
}
