using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace Datacake.Data.Metadata;

/// <summary>The codecs of all types that a property can have. For generated code.</summary>
[SuppressMessage("Naming", "CA1720:Identifier contains type name", Justification = "Each codec is named after the type that it is of.")]
public static class ValueCodecs
{
    /// <summary><see cref="bool"/></summary>
    public static ScalarCodec<bool> Boolean { get; } = new BooleanCodec();

    /// <summary><see cref="byte"/></summary>
    public static ScalarCodec<byte> Byte { get; } = new IntegerCodec<byte>();

    /// <summary><see cref="sbyte"/></summary>
    public static ScalarCodec<sbyte> SByte { get; } = new IntegerCodec<sbyte>();

    /// <summary><see cref="short"/></summary>
    public static ScalarCodec<short> Int16 { get; } = new IntegerCodec<short>();

    /// <summary><see cref="ushort"/></summary>
    public static ScalarCodec<ushort> UInt16 { get; } = new IntegerCodec<ushort>();

    /// <summary><see cref="int"/></summary>
    public static ScalarCodec<int> Int32 { get; } = new IntegerCodec<int>();

    /// <summary><see cref="uint"/></summary>
    public static ScalarCodec<uint> UInt32 { get; } = new IntegerCodec<uint>();

    /// <summary><see cref="long"/></summary>
    public static ScalarCodec<long> Int64 { get; } = new IntegerCodec<long>();

    /// <summary><see cref="ulong"/></summary>
    public static ScalarCodec<ulong> UInt64 { get; } = new IntegerCodec<ulong>();

    /// <summary><see cref="char"/></summary>
    public static ScalarCodec<char> Char { get; } = new IntegerCodec<char>();

    /// <summary><see cref="float"/></summary>
    public static ScalarCodec<float> Single { get; } = new SingleCodec();

    /// <summary><see cref="double"/></summary>
    public static ScalarCodec<double> Double { get; } = new DoubleCodec();

    /// <summary><see cref="decimal"/></summary>
    public static ScalarCodec<decimal> Decimal { get; } = new DecimalCodec();

    /// <summary><see cref="string"/></summary>
    public static ScalarCodec<string> String { get; } = new StringCodec();

    /// <summary>Bytes as one value.</summary>
    public static ScalarCodec<byte[]> Bytes { get; } = new BytesCodec();

    /// <summary><see cref="System.Guid"/></summary>
    public static ScalarCodec<Guid> Guid { get; } = new GuidCodec();

    /// <summary><see cref="System.DateTime"/></summary>
    public static ScalarCodec<DateTime> DateTime { get; } = new DateTimeCodec();

    /// <summary><see cref="System.DateTimeOffset"/></summary>
    public static ScalarCodec<DateTimeOffset> DateTimeOffset { get; } = new DateTimeOffsetCodec();

    /// <summary><see cref="System.DateOnly"/></summary>
    public static ScalarCodec<DateOnly> DateOnly { get; } = new DateOnlyCodec();

    /// <summary><see cref="System.TimeOnly"/></summary>
    public static ScalarCodec<TimeOnly> TimeOnly { get; } = new TimeOnlyCodec();

    /// <summary><see cref="System.TimeSpan"/></summary>
    public static ScalarCodec<TimeSpan> TimeSpan { get; } = new TimeSpanCodec();

    /// <summary>An enumeration.</summary>
    public static ScalarCodec<TEnum> Enum<TEnum, TUnderlying>(ScalarCodec<TUnderlying> underlying)
        where TEnum : struct, Enum
        where TUnderlying : struct => new EnumCodec<TEnum, TUnderlying>(underlying);

    /// <summary>What a converter turns into scalars.</summary>
    public static ScalarCodec<TProperty> Converted<TProperty, TStored>(
        ScalarCodec<TStored> stored, ValueConverter<TProperty, TStored> converter) =>
        new ConvertedCodec<TProperty, TStored>(stored, converter);

    /// <summary>Returns the codec of a value that may be absent.</summary>
    public static ValueCodec<T?> Nullable<T>(ValueCodec<T> inner)
        where T : struct => new NullableCodec<T>(inner);

    /// <summary>Returns the codec of a list as one value.</summary>
    public static ValueCodec<List<T>> List<T>(ValueCodec<T> item, bool areItemsRequired = false) => new ListCodec<T>(item, areItemsRequired);

    /// <summary>Returns the codec of an array as one value.</summary>
    public static ValueCodec<T[]> Array<T>(ValueCodec<T> item, bool areItemsRequired = false) => new ArrayCodec<T>(item, areItemsRequired);

    /// <summary>Returns the codec of an immutable array as one value.</summary>
    public static ValueCodec<ImmutableArray<T>> ImmutableArray<T>(ValueCodec<T> item, bool areItemsRequired = false) =>
        new ImmutableArrayCodec<T>(item, areItemsRequired);

    /// <summary>Returns the codec of a collection of another type as one value.</summary>
    /// <param name="item">The codec of an item.</param>
    /// <param name="areItemsRequired">True if no item can be null.</param>
    /// <param name="create">Makes a collection of the items that were read; null if a list is one.</param>
    public static ValueCodec<TCollection> Collection<TCollection, T>(
        ValueCodec<T> item, bool areItemsRequired = false, Func<List<T>, TCollection>? create = null)
        where TCollection : class, IEnumerable<T> => new CollectionCodec<TCollection, T>(item, areItemsRequired, create);
}
