using System.Collections.Immutable;
using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using Datacake.Data.Values;

namespace Datacake.Data.CodeGeneration;

/// <summary>The codecs of all types that a property can have. For generated code.</summary>
[SuppressMessage("Naming", "CA1720:Identifier contains type name", Justification = "Each codec is named after its type.")]
[EditorBrowsable(EditorBrowsableState.Never)]
public static class ValueCodecs
{
    /// <summary>Gets the codec of <see cref="bool"/> values.</summary>
    public static ScalarCodec<bool> Boolean { get; } = new BooleanCodec();

    /// <summary>Gets the codec of <see cref="byte"/> values.</summary>
    public static ScalarCodec<byte> Byte { get; } = new IntegerCodec<byte>();

    /// <summary>Gets the codec of <see cref="sbyte"/> values.</summary>
    public static ScalarCodec<sbyte> SByte { get; } = new IntegerCodec<sbyte>();

    /// <summary>Gets the codec of <see cref="short"/> values.</summary>
    public static ScalarCodec<short> Int16 { get; } = new IntegerCodec<short>();

    /// <summary>Gets the codec of <see cref="ushort"/> values.</summary>
    public static ScalarCodec<ushort> UInt16 { get; } = new IntegerCodec<ushort>();

    /// <summary>Gets the codec of <see cref="int"/> values.</summary>
    public static ScalarCodec<int> Int32 { get; } = new IntegerCodec<int>();

    /// <summary>Gets the codec of <see cref="uint"/> values.</summary>
    public static ScalarCodec<uint> UInt32 { get; } = new IntegerCodec<uint>();

    /// <summary>Gets the codec of <see cref="long"/> values.</summary>
    public static ScalarCodec<long> Int64 { get; } = new IntegerCodec<long>();

    /// <summary>Gets the codec of <see cref="ulong"/> values.</summary>
    public static ScalarCodec<ulong> UInt64 { get; } = new IntegerCodec<ulong>();

    /// <summary>Gets the codec of <see cref="char"/> values.</summary>
    public static ScalarCodec<char> Char { get; } = new IntegerCodec<char>();

    /// <summary>Gets the codec of <see cref="float"/> values.</summary>
    public static ScalarCodec<float> Single { get; } = new SingleCodec();

    /// <summary>Gets the codec of <see cref="double"/> values.</summary>
    public static ScalarCodec<double> Double { get; } = new DoubleCodec();

    /// <summary>Gets the codec of <see cref="decimal"/> values.</summary>
    public static ScalarCodec<decimal> Decimal { get; } = new DecimalCodec();

    /// <summary>Gets the codec of <see cref="string"/> values.</summary>
    public static ScalarCodec<string> String { get; } = new StringCodec();

    /// <summary>Gets the codec of byte arrays as one value.</summary>
    public static ScalarCodec<byte[]> Bytes { get; } = new BytesCodec();

    /// <summary>Gets the codec of <see cref="System.Guid"/> values.</summary>
    public static ScalarCodec<Guid> Guid { get; } = new GuidCodec();

    /// <summary>Gets the codec of <see cref="System.DateTime"/> values.</summary>
    public static ScalarCodec<DateTime> DateTime { get; } = new DateTimeCodec();

    /// <summary>Gets the codec of <see cref="System.DateTimeOffset"/> values.</summary>
    public static ScalarCodec<DateTimeOffset> DateTimeOffset { get; } = new DateTimeOffsetCodec();

    /// <summary>Gets the codec of <see cref="System.DateOnly"/> values.</summary>
    public static ScalarCodec<DateOnly> DateOnly { get; } = new DateOnlyCodec();

    /// <summary>Gets the codec of <see cref="System.TimeOnly"/> values.</summary>
    public static ScalarCodec<TimeOnly> TimeOnly { get; } = new TimeOnlyCodec();

    /// <summary>Gets the codec of <see cref="System.TimeSpan"/> values.</summary>
    public static ScalarCodec<TimeSpan> TimeSpan { get; } = new TimeSpanCodec();

    /// <summary>Returns the codec of an enumeration.</summary>
    public static ScalarCodec<TEnum> Enum<TEnum, TUnderlying>(ScalarCodec<TUnderlying> underlying)
        where TEnum : struct, Enum
        where TUnderlying : struct => new EnumCodec<TEnum, TUnderlying>(underlying);

    /// <summary>Returns the codec of values that a converter turns into single values.</summary>
    public static ScalarCodec<TProperty> Converted<TProperty, TStored>(
        ScalarCodec<TStored> stored, ValueConverter<TProperty, TStored> converter) =>
        new ConvertedCodec<TProperty, TStored>(stored, converter);

    /// <summary>Returns the codec of a nullable value.</summary>
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
    /// <param name="areItemsRequired">True if the items cannot be null.</param>
    /// <param name="create">A function that creates a collection of the items that were read; null if the collection can be a list.</param>
    public static ValueCodec<TCollection> Collection<TCollection, T>(
        ValueCodec<T> item, bool areItemsRequired = false, Func<List<T>, TCollection>? create = null)
        where TCollection : class, IEnumerable<T> => new CollectionCodec<TCollection, T>(item, areItemsRequired, create);
}
