using System.Numerics;
using System.Runtime.CompilerServices;
using Datacake.Data.CodeGeneration;
using Datacake.EventualConsistency;

namespace Datacake.Data.Values;

sealed class BooleanCodec : ScalarCodec<bool>
{
    public override void Write(ValueWriter writer, bool value) => writer.WriteBoolean(value);

    public override bool Read(ref ValueReader reader) => reader.ReadBoolean();

    public override void WriteOrdered(OrderedKeyWriter writer, bool value) => writer.Write(value);

    public override bool ReadOrdered(ref OrderedKeyReader reader) => reader.ReadBoolean();
}

/// <summary>A codec of integers of any size and of <see cref="char"/>, which share one order.</summary>
sealed class IntegerCodec<T> : ScalarCodec<T>
    where T : struct, IBinaryInteger<T>, IMinMaxValue<T>
{
    static bool IsUnsigned => T.MinValue == T.Zero;

    public override void Write(ValueWriter writer, T value)
    {
        if (IsUnsigned)
            writer.WriteUInt64(ulong.CreateTruncating(value));
        else
            writer.WriteInt64(long.CreateTruncating(value));
    }

    public override T Read(ref ValueReader reader) =>
        typeof(T) == typeof(ulong) ? T.CreateTruncating(reader.ReadUInt64()) : Narrow(reader.ReadInt64());

    public override void WriteOrdered(OrderedKeyWriter writer, T value)
    {
        if (IsUnsigned)
            writer.Write(ulong.CreateTruncating(value));
        else
            writer.Write(long.CreateTruncating(value));
    }

    public override T ReadOrdered(ref OrderedKeyReader reader) =>
        typeof(T) == typeof(ulong) ? T.CreateTruncating(reader.ReadUInt64()) : Narrow(reader.ReadInt64());

    /// <summary>Accepts integers of any type: they share one order, so that a property can be compared with all of them.</summary>
    public override bool TryWriteOrdered(OrderedKeyWriter writer, object? value)
    {
        switch (value is Enum ? Convert.ChangeType(value, Enum.GetUnderlyingType(value.GetType()), null) : value)
        {
            case null:
                writer.WriteNull();
                return true;
            case ulong large:
                writer.Write(large);
                return true;
            case long or int or uint or short or ushort or sbyte or byte:
                writer.Write(Convert.ToInt64(value, null));
                return true;
            case char character:
                writer.Write((long)character);
                return true;
            default:
                return false;
        }
    }

    static T Narrow(long value) => value >= long.CreateSaturating(T.MinValue) && value <= long.CreateSaturating(T.MaxValue)
        ? T.CreateTruncating(value)
        : throw new InvalidDataException($"The integer {value} is out of range for the type {typeof(T).Name}.");
}

/// <summary>A codec of enumerations as their underlying integers.</summary>
sealed class EnumCodec<TEnum, TUnderlying>(ScalarCodec<TUnderlying> underlying) : ScalarCodec<TEnum>, IElementCodec
    where TEnum : struct, Enum
    where TUnderlying : struct
{
    IReadOnlyList<ElementEquality> IElementCodec.Equalities => ElementEquality.Both<TEnum>();

    public override void Write(ValueWriter writer, TEnum value) => underlying.Write(writer, Unsafe.BitCast<TEnum, TUnderlying>(value));

    public override TEnum Read(ref ValueReader reader) => Unsafe.BitCast<TUnderlying, TEnum>(underlying.Read(ref reader));

    public override void WriteOrdered(OrderedKeyWriter writer, TEnum value) =>
        underlying.WriteOrdered(writer, Unsafe.BitCast<TEnum, TUnderlying>(value));

    public override TEnum ReadOrdered(ref OrderedKeyReader reader) =>
        Unsafe.BitCast<TUnderlying, TEnum>(underlying.ReadOrdered(ref reader));

    public override bool TryWriteOrdered(OrderedKeyWriter writer, object? value) => underlying.TryWriteOrdered(writer, value);
}

sealed class SingleCodec : ScalarCodec<float>
{
    internal override bool IsExactInIndex => false;

    public override void Write(ValueWriter writer, float value) => writer.WriteSingle(value);

    public override float Read(ref ValueReader reader) => reader.ReadSingle();

    public override void WriteOrdered(OrderedKeyWriter writer, float value) => writer.Write((double)value);

    public override void WriteElement(ValueWriter writer, float value) => writer.WriteSingle(float.IsNaN(value) ? float.NaN : value + 0f);

    public override bool TryWriteOrdered(OrderedKeyWriter writer, object? value)
    {
        // A float is compared with a double as a double.
        if (value is not double wide)
            return base.TryWriteOrdered(writer, value);
        writer.Write(wide);
        return true;
    }
}

sealed class DoubleCodec : ScalarCodec<double>
{
    internal override bool IsExactInIndex => false;

    public override void Write(ValueWriter writer, double value) => writer.WriteDouble(value);

    public override double Read(ref ValueReader reader) => reader.ReadDouble();

    public override void WriteOrdered(OrderedKeyWriter writer, double value) => writer.Write(value);

    public override void WriteElement(ValueWriter writer, double value) =>
        writer.WriteDouble(double.IsNaN(value) ? double.NaN : value + 0.0);
}

sealed class DecimalCodec : ScalarCodec<decimal>
{
    internal override bool IsExactInIndex => false;

    public override void Write(ValueWriter writer, decimal value) => writer.WriteDecimal(value);

    public override decimal Read(ref ValueReader reader) => reader.ReadDecimal();

    public override void WriteOrdered(OrderedKeyWriter writer, decimal value) => writer.Write(value);

    public override decimal ReadOrdered(ref OrderedKeyReader reader) => reader.ReadDecimal();

    // Dividing by one with a scale of 28 removes trailing zeros. Zero is a special case, because it may have a sign.
    public override void WriteElement(ValueWriter writer, decimal value) =>
        writer.WriteDecimal(value == 0 ? 0 : value / 1.0000000000000000000000000000m);
}

sealed class StringCodec : ScalarCodec<string>
{
    public override void Write(ValueWriter writer, string value) => writer.WriteString(value);

    public override string Read(ref ValueReader reader) => reader.ReadString()!;

    public override void WriteOrdered(OrderedKeyWriter writer, string value) => writer.Write(value);

    public override string ReadOrdered(ref OrderedKeyReader reader) => reader.ReadString();
}

sealed class BytesCodec : ScalarCodec<byte[]>
{
    public override void Write(ValueWriter writer, byte[] value) => writer.WriteBytes(value);

    public override byte[] Read(ref ValueReader reader) => reader.ReadBytes()!;

    public override void WriteOrdered(OrderedKeyWriter writer, byte[] value) => writer.Write(value.AsSpan());

    public override byte[] ReadOrdered(ref OrderedKeyReader reader) => reader.ReadBytes();
}

sealed class GuidCodec : ScalarCodec<Guid>
{
    public override void Write(ValueWriter writer, Guid value) => writer.WriteGuid(value);

    public override Guid Read(ref ValueReader reader) => reader.ReadGuid();

    public override void WriteOrdered(OrderedKeyWriter writer, Guid value) => writer.Write(value);

    public override Guid ReadOrdered(ref OrderedKeyReader reader) => reader.ReadGuid();
}

/// <summary>A codec of dates and times, which are compared by ticks regardless of their kind, as <see cref="DateTime"/> does.</summary>
sealed class DateTimeCodec : ScalarCodec<DateTime>
{
    internal override bool IsExactInIndex => false;

    public override void Write(ValueWriter writer, DateTime value) => writer.WriteDateTime(value);

    public override DateTime Read(ref ValueReader reader) => reader.ReadDateTime();

    public override void WriteOrdered(OrderedKeyWriter writer, DateTime value) => writer.Write(value.Ticks);

    // Equal times are the same key, so they must have the same kind.
    public override void WriteKey(OrderedKeyWriter writer, DateTime value)
    {
        if (value.Kind != DateTimeKind.Utc)
        {
            throw new ArgumentException(
                $"A DateTime in a key must be in UTC, but this one is of kind {value.Kind}. Use DateTime.UtcNow, ToUniversalTime() or DateTime.SpecifyKind(value, DateTimeKind.Utc), "
                    + "or make the property a DateOnly.");
        }
        WriteOrdered(writer, value);
    }

    public override DateTime ReadOrdered(ref OrderedKeyReader reader) => new(Ticks.OfDate(reader.ReadInt64()), DateTimeKind.Utc);
}

/// <summary>
/// A codec of dates and times with offsets, which are compared by the instant regardless of their offset, as
/// <see cref="DateTimeOffset"/> does.
/// </summary>
sealed class DateTimeOffsetCodec : ScalarCodec<DateTimeOffset>
{
    internal override bool IsExactInIndex => false;

    public override void Write(ValueWriter writer, DateTimeOffset value) => writer.WriteDateTimeOffset(value);

    public override DateTimeOffset Read(ref ValueReader reader) => reader.ReadDateTimeOffset();

    public override void WriteOrdered(OrderedKeyWriter writer, DateTimeOffset value) => writer.Write(value.UtcTicks);

    public override DateTimeOffset ReadOrdered(ref OrderedKeyReader reader) => new(Ticks.OfDate(reader.ReadInt64()), TimeSpan.Zero);

    public override void WriteElement(ValueWriter writer, DateTimeOffset value) => writer.WriteDateTimeOffset(value.ToUniversalTime());
}

sealed class DateOnlyCodec : ScalarCodec<DateOnly>
{
    public override void Write(ValueWriter writer, DateOnly value) => writer.WriteInt64(value.DayNumber);

    public override DateOnly Read(ref ValueReader reader) => OfDayNumber(reader.ReadInt64());

    public override void WriteOrdered(OrderedKeyWriter writer, DateOnly value) => writer.Write((long)value.DayNumber);

    public override DateOnly ReadOrdered(ref OrderedKeyReader reader) => OfDayNumber(reader.ReadInt64());

    static DateOnly OfDayNumber(long number) => number >= 0 && number <= DateOnly.MaxValue.DayNumber
        ? DateOnly.FromDayNumber((int)number)
        : throw new InvalidDataException($"The day number {number} is not a valid date.");
}

sealed class TimeOnlyCodec : ScalarCodec<TimeOnly>
{
    public override void Write(ValueWriter writer, TimeOnly value) => writer.WriteInt64(value.Ticks);

    public override TimeOnly Read(ref ValueReader reader) => OfTicks(reader.ReadInt64());

    public override void WriteOrdered(OrderedKeyWriter writer, TimeOnly value) => writer.Write(value.Ticks);

    public override TimeOnly ReadOrdered(ref OrderedKeyReader reader) => OfTicks(reader.ReadInt64());

    static TimeOnly OfTicks(long ticks) => ticks >= 0 && ticks <= TimeOnly.MaxValue.Ticks
        ? new TimeOnly(ticks)
        : throw new InvalidDataException($"{ticks} ticks are not a valid time of day.");
}

sealed class TimeSpanCodec : ScalarCodec<TimeSpan>
{
    public override void Write(ValueWriter writer, TimeSpan value) => writer.WriteInt64(value.Ticks);

    public override TimeSpan Read(ref ValueReader reader) => new(reader.ReadInt64());

    public override void WriteOrdered(OrderedKeyWriter writer, TimeSpan value) => writer.Write(value.Ticks);

    public override TimeSpan ReadOrdered(ref OrderedKeyReader reader) => new(reader.ReadInt64());
}

static class Ticks
{
    /// <exception cref="InvalidDataException">The number of ticks is out of range.</exception>
    public static long OfDate(long ticks) => ticks >= 0 && ticks <= DateTime.MaxValue.Ticks
        ? ticks
        : throw new InvalidDataException($"{ticks} ticks are not a valid date and time.");
}
