using Datacake.Data.CodeGeneration;
using Datacake.EventualConsistency;

namespace Datacake.Data.Values;

/// <summary>A codec of values that have a converter. They are ordered by their stored form.</summary>
sealed class ConvertedCodec<TProperty, TStored>(ScalarCodec<TStored> stored, ValueConverter<TProperty, TStored> converter)
    : ScalarCodec<TProperty>
{
    internal override bool IsExactInIndex => stored.IsExactInIndex;

    internal override ValueShape Shape => new ScalarShape(typeof(TStored), value => converter.ToStored((TProperty)value));

    public override void Write(ValueWriter writer, TProperty value)
    {
        if (value is null)
            writer.WriteNil();
        else
            stored.Write(writer, converter.ToStored(value));
    }

    public override TProperty Read(ref ValueReader reader) =>
        reader.TryReadNil() ? default! : FromStored(stored.Read(ref reader));

    public override void WriteOrdered(OrderedKeyWriter writer, TProperty value)
    {
        if (value is null)
            writer.WriteNull();
        else
            stored.WriteOrdered(writer, converter.ToStored(value));
    }

    public override void WriteKey(OrderedKeyWriter writer, TProperty value) => stored.WriteKey(writer, converter.ToStored(value));

    public override TProperty ReadOrdered(ref OrderedKeyReader reader) =>
        // No stored key contains null. Only the sample that shows the defaults of a class does, and a converter need not accept it.
        reader.TryReadNull() ? default! : FromStored(stored.ReadOrdered(ref reader));

    public override void WriteElement(ValueWriter writer, TProperty value) => stored.WriteElement(writer, converter.ToStored(value));

    /// <summary>Accepts integers for an enumeration, because the compiler turns enumeration values in conditions into integers.</summary>
    public override bool TryWriteOrdered(OrderedKeyWriter writer, object? value) =>
        typeof(TProperty).IsEnum && value is int or uint or long or ulong or short or ushort or byte or sbyte
            ? base.TryWriteOrdered(writer, Enum.ToObject(typeof(TProperty), value))
            : base.TryWriteOrdered(writer, value);

    TProperty FromStored(TStored value)
    {
        try
        {
            return converter.FromStored(value);
        }
        catch (Exception e) when (e is not InvalidDataException)
        {
            throw new InvalidDataException(
                $"{converter.GetType().Name} cannot convert '{value}' to {typeof(TProperty).Name}: {ValueProblems.ReasonOf(e)}", e);
        }
    }
}
