using Datacake.EventualConsistency;

namespace Datacake.Data.Metadata;

sealed class NullableCodec<T>(ScalarCodec<T> inner) : ValueCodec<T?>, IOrderedCodec
    where T : struct
{
    public override void Write(ValueWriter writer, T? value)
    {
        if (value is { } present)
            inner.Write(writer, present);
        else
            writer.WriteNil();
    }

    public override T? Read(ref ValueReader reader) => reader.TryReadNil() ? null : inner.Read(ref reader);

    public bool TryWriteOrdered(OrderedKeyWriter writer, object? value) => inner.TryWriteOrdered(writer, value);

    public void CopyOrdered(ReadOnlySpan<byte> value, OrderedKeyWriter writer) => inner.CopyOrdered(value, writer);
}

/// <summary>An ordered collection as one value: a MessagePack array.</summary>
sealed class ListCodec<T>(ValueCodec<T> item) : ValueCodec<List<T>>
{
    public override void Write(ValueWriter writer, List<T> value) => SequenceCodec.Write(writer, value, item);

    public override List<T> Read(ref ValueReader reader) => SequenceCodec.Read(ref reader, item)!;
}

/// <summary>An array as one value: a MessagePack array.</summary>
sealed class ArrayCodec<T>(ValueCodec<T> item) : ValueCodec<T[]>
{
    public override void Write(ValueWriter writer, T[] value) => SequenceCodec.Write(writer, value, item);

    public override T[] Read(ref ValueReader reader) => SequenceCodec.Read(ref reader, item)?.ToArray()!;
}

/// <summary>A property of a collection's interface as one value; reads a list.</summary>
sealed class CollectionCodec<TCollection, T>(ValueCodec<T> item) : ValueCodec<TCollection>
    where TCollection : class, IEnumerable<T>
{
    public override void Write(ValueWriter writer, TCollection value) =>
        SequenceCodec.Write(writer, value is null ? null : value as IReadOnlyCollection<T> ?? [.. value], item);

    public override TCollection Read(ref ValueReader reader) => (SequenceCodec.Read(ref reader, item) as TCollection)!;
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
