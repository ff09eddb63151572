using CsCheck;
using Datacake.Data.CodeGeneration;
using Datacake.Data.Tests.Shop;
using Datacake.EventualConsistency;
using MessagePack;

namespace Datacake.Data.Tests.Values;

public class ValueCodecTests
{
    [Fact]
    public void Integers_round_trip()
    {
        RoundTrips(Gen.Byte, ValueCodecs.Byte);
        RoundTrips(Gen.SByte, ValueCodecs.SByte);
        RoundTrips(Gen.Short, ValueCodecs.Int16);
        RoundTrips(Gen.UShort, ValueCodecs.UInt16);
        RoundTrips(Gen.Int, ValueCodecs.Int32);
        RoundTrips(Gen.UInt, ValueCodecs.UInt32);
        RoundTrips(Gen.Long, ValueCodecs.Int64);
        RoundTrips(Gen.ULong, ValueCodecs.UInt64);
        RoundTrips(Gen.Char, ValueCodecs.Char);
    }

    [Fact]
    public void Other_scalars_round_trip()
    {
        RoundTrips(Gen.Bool, ValueCodecs.Boolean);
        RoundTrips(Gen.Float.Special, ValueCodecs.Single);
        RoundTrips(Gen.Float, ValueCodecs.Single);
        RoundTrips(Gen.Double.Special, ValueCodecs.Double);
        RoundTrips(Gen.Double, ValueCodecs.Double);
        RoundTrips(Gen.Decimal, ValueCodecs.Decimal);
        RoundTrips(Gen.Guid, ValueCodecs.Guid);
        RoundTrips(Gens.Text, ValueCodecs.String);
        RoundTrips(Gen.TimeSpan, ValueCodecs.TimeSpan);
        RoundTrips(Gens.DateOnly, ValueCodecs.DateOnly);
        RoundTrips(Gens.TimeOnly, ValueCodecs.TimeOnly);
        RoundTrips(Gens.DateTimeOffset, ValueCodecs.DateTimeOffset);
        RoundTrips(Gens.DateTime, ValueCodecs.DateTime);
        RoundTrips(Gen.Enum<Status>(), ValueCodecs.Enum<Status, int>(ValueCodecs.Int32));
        RoundTrips(Gen.Enum<Rights>(), ValueCodecs.Enum<Rights, ulong>(ValueCodecs.UInt64));
    }

    [Theory]
    [InlineData("0")]
    [InlineData("1.0")]
    [InlineData("1.00")]
    [InlineData("-0.0000000000000000000000000001")]
    [InlineData("79228162514264337593543950335")]
    [InlineData("-79228162514264337593543950335")]
    public void A_decimal_keeps_its_digits_and_its_scale(string text)
    {
        decimal value = decimal.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal(decimal.GetBits(value), decimal.GetBits(RoundTrip(ValueCodecs.Decimal, value)));
    }

    [Fact]
    public void A_date_keeps_its_kind_and_its_offset()
    {
        Gens.DateTime.Sample(value => Assert.Equal(value.Kind, RoundTrip(ValueCodecs.DateTime, value).Kind));
        Gens.DateTimeOffset.Sample(value => Assert.Equal(value.Offset, RoundTrip(ValueCodecs.DateTimeOffset, value).Offset));
    }

    [Fact]
    public void Values_in_keys_round_trip_and_keep_their_order()
    {
        InKeys(Gen.Bool, ValueCodecs.Boolean);
        InKeys(Gen.Decimal, ValueCodecs.Decimal);
        InKeys(Gen.Select(Gen.Int[-9999, 9999], Gen.Byte[0, 28], (digits, scale) => new decimal(Math.Abs(digits), 0, 0, digits < 0, scale)), ValueCodecs.Decimal);
        InKeys(Gens.DateTime.Select(value => DateTime.SpecifyKind(value, DateTimeKind.Utc)), ValueCodecs.DateTime);
        InKeys(Gens.DateTimeOffset, ValueCodecs.DateTimeOffset);
        InKeys(Gens.TimeOnly, ValueCodecs.TimeOnly);
        InKeys(Gen.TimeSpan, ValueCodecs.TimeSpan);
        Gen.Byte.Array[0, 20].Sample(value => Assert.Equal(value, InKey(ValueCodecs.Bytes, value)));

        static void InKeys<T>(Gen<T> values, ScalarCodec<T> codec) => Gen.Select(values, values).Sample((a, b) =>
        {
            Assert.Equal(a, InKey(codec, a));
            Assert.Equal(Comparer<T>.Default.Compare(a, b), Math.Sign(KeyOf(codec, a).AsSpan().SequenceCompareTo(KeyOf(codec, b))));
        });

        static T InKey<T>(ScalarCodec<T> codec, T value)
        {
            var reader = new OrderedKeyReader(KeyOf(codec, value));
            var read = codec.ReadOrdered(ref reader);
            Assert.True(reader.IsAtEnd);
            return read;
        }

        static byte[] KeyOf<T>(ScalarCodec<T> codec, T value)
        {
            var writer = new OrderedKeyWriter();
            codec.WriteKey(writer, value);
            return writer.ToArray();
        }
    }

    [Fact]
    public void Invalid_key_bytes_are_refused_with_an_InvalidDataException()
    {
        byte[] tags = [0x08, 0x09, 0x10, 0x19, 0x30];
        Gen.Select(Gen.Int[0, tags.Length - 1].Select(i => tags[i]), Gen.Byte.Array[0, 20]).Sample((tag, bytes) =>
        {
            byte[] key = [tag, .. bytes];
            Attempt(key, ValueCodecs.Boolean);
            Attempt(key, ValueCodecs.Decimal);
            Attempt(key, ValueCodecs.DateTime);
            Attempt(key, ValueCodecs.DateTimeOffset);
            Attempt(key, ValueCodecs.TimeOnly);
            Attempt(key, ValueCodecs.Bytes);
        });

        static void Attempt<T>(byte[] key, ScalarCodec<T> codec)
        {
            try
            {
                var reader = new OrderedKeyReader(key);
                codec.ReadOrdered(ref reader);
            }
            catch (InvalidDataException)
            {
            }
        }
    }

    [Fact]
    public void Collections_and_nullables_round_trip()
    {
        var list = ValueCodecs.List(ValueCodecs.Nullable(ValueCodecs.Int32));
        Gen.Int.Nullable().List[0, 40].Sample(value => Assert.Equal(value, RoundTrip(list, value)));
        Assert.Null(RoundTrip(list, null!));
        var array = ValueCodecs.Array(ValueCodecs.String);
        Gens.Text.Array[0, 40].Sample(value => Assert.Equal(value, RoundTrip(array, value)));
        Assert.Equal([null!, "x"], RoundTrip(array, [null!, "x"]));
        var enumerable = ValueCodecs.Collection<IEnumerable<long>, long>(ValueCodecs.Int64);
        Assert.Equal([1, 2], RoundTrip(enumerable, Enumerable.Range(1, 2).Select(i => (long)i)));
        var many = Enumerable.Range(0, 70_000).ToList();
        Assert.Equal(many, RoundTrip(ValueCodecs.List(ValueCodecs.Int32), many));
        string text = new('x', 70_000);
        Assert.Equal(text, RoundTrip(ValueCodecs.String, text));
    }

    [Fact]
    public void Other_MessagePack_readers_understand_the_values()
    {
        Gen.Long.Sample(value => Assert.Equal(value, Deserialize<long>(Write(ValueCodecs.Int64, value))));
        Gen.ULong.Sample(value => Assert.Equal(value, Deserialize<ulong>(Write(ValueCodecs.UInt64, value))));
        Gen.Double.Sample(value => Assert.Equal(value, Deserialize<double>(Write(ValueCodecs.Double, value))));
        Gen.Float.Sample(value => Assert.Equal(value, Deserialize<float>(Write(ValueCodecs.Single, value))));
        Gens.Text.Sample(value => Assert.Equal(value, Deserialize<string>(Write(ValueCodecs.String, value))));
        Gen.Byte.Array[0, 300].Sample(value => Assert.Equal(value, Deserialize<byte[]>(Write(ValueCodecs.Bytes, value))));
        Gen.Int.List[0, 40].Sample(value => Assert.Equal(value, Deserialize<List<int>>(Write(ValueCodecs.List(ValueCodecs.Int32), value))));
    }

    [Fact]
    public void Values_of_other_MessagePack_writers_are_understood()
    {
        Gen.Long.Sample(value => Assert.Equal(value, Read(ValueCodecs.Int64, Serialize(value))));
        Gens.Text.Sample(value => Assert.Equal(value, Read(ValueCodecs.String, Serialize(value))));
        Assert.Equal(7.0, Read(ValueCodecs.Double, Serialize(7)));
        Assert.Equal(7m, Read(ValueCodecs.Decimal, Serialize(7UL)));
    }

    [Fact]
    public void Invalid_bytes_are_refused_with_an_InvalidDataException()
    {
        Gen.Byte.Array[0, 20].Sample(bytes =>
        {
            Attempt(() => Read(ValueCodecs.Decimal, bytes));
            Attempt(() => Read(ValueCodecs.DateTime, bytes));
            Attempt(() => Read(ValueCodecs.DateTimeOffset, bytes));
            Attempt(() => Read(ValueCodecs.TimeOnly, bytes));
            Attempt(() => Read(ValueCodecs.DateOnly, bytes));
            Attempt(() => Read(ValueCodecs.String, bytes));
            Attempt(() => Read(ValueCodecs.SByte, bytes));
            Attempt(() => Read(ValueCodecs.Guid, bytes));
            Attempt(() => Read(ValueCodecs.List(ValueCodecs.String), bytes));
            Attempt(() =>
            {
                var reader = new ValueReader(bytes);
                reader.Skip();
                return 0;
            });
        });

        static void Attempt<T>(Func<T> read)
        {
            try
            {
                read();
            }
            catch (InvalidDataException)
            {
            }
        }
    }

    [Fact]
    public void Value_of_any_kind_can_be_skipped()
    {
        byte[] nested = Serialize((object[])[1, "x", 2.5, new Dictionary<string, object> { ["k"] = new byte[300] }]);
        var reader = new ValueReader([.. nested, 0x07]);
        reader.Skip();
        Assert.Equal(7, reader.ReadInt64());
    }

    [Fact]
    public void String_with_a_lone_surrogate_is_refused() =>
        Assert.Contains(
            "index 1", Assert.Throws<ArgumentException>(() => Write(ValueCodecs.String, "x\uD800y")).Message, StringComparison.Ordinal);

    [Fact]
    public void Equal_set_elements_have_equal_bytes()
    {
        Assert.Equal(Element(ValueCodecs.Decimal, 1.0m), Element(ValueCodecs.Decimal, 1.000m));
        Assert.Equal(Element(ValueCodecs.Decimal, 0m), Element(ValueCodecs.Decimal, -0.00m));
        Assert.Equal(Element(ValueCodecs.Double, 0.0), Element(ValueCodecs.Double, -0.0));
        var noon = new DateTimeOffset(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
        Assert.Equal(Element(ValueCodecs.DateTimeOffset, noon), Element(ValueCodecs.DateTimeOffset, noon.ToOffset(TimeSpan.FromHours(5))));

        static byte[] Element<T>(ScalarCodec<T> codec, T value)
        {
            var writer = new ValueWriter();
            codec.WriteElement(writer, value);
            return writer.Written.ToArray();
        }
    }

    [Fact]
    public void Ordered_bytes_compare_like_their_values()
    {
        Ordered(Gen.Long, ValueCodecs.Int64);
        Ordered(Gen.ULong, ValueCodecs.UInt64);
        Ordered(Gen.Decimal, ValueCodecs.Decimal);
        Ordered(Gen.Double, ValueCodecs.Double);
        Ordered(Gen.Float, ValueCodecs.Single);
        Ordered(Gens.DateTime, ValueCodecs.DateTime);
        Ordered(Gens.DateTimeOffset, ValueCodecs.DateTimeOffset);
        Ordered(Gens.DateOnly, ValueCodecs.DateOnly);
        Ordered(Gens.TimeOnly, ValueCodecs.TimeOnly);
        Ordered(Gen.TimeSpan, ValueCodecs.TimeSpan);
        Ordered(Gen.Guid, ValueCodecs.Guid);
        Ordered(Gen.Enum<Status>(), ValueCodecs.Enum<Status, int>(ValueCodecs.Int32));
        Gen.Select(Gens.Text, Gens.Text).Sample((a, b) =>
            Assert.Equal(
                Math.Sign(string.CompareOrdinal(a, b)),
                Math.Sign(Bytes(ValueCodecs.String, a).AsSpan().SequenceCompareTo(Bytes(ValueCodecs.String, b)))));

        static void Ordered<T>(Gen<T> gen, ScalarCodec<T> codec) => Gen.Select(gen, gen).Sample((a, b) =>
            Assert.Equal(
                Math.Sign(Comparer<T>.Default.Compare(a, b)), Math.Sign(Bytes(codec, a).AsSpan().SequenceCompareTo(Bytes(codec, b)))));

        static byte[] Bytes<T>(ScalarCodec<T> codec, T value)
        {
            var writer = new OrderedKeyWriter();
            codec.CopyOrdered(Write(codec, value), writer);
            return writer.ToArray();
        }
    }

    static byte[] Serialize<T>(T value) => MessagePackSerializer.Serialize(value, cancellationToken: TestContext.Current.CancellationToken);

    static T Deserialize<T>(byte[] bytes) =>
        MessagePackSerializer.Deserialize<T>(bytes, cancellationToken: TestContext.Current.CancellationToken);

    static void RoundTrips<T>(Gen<T> gen, ValueCodec<T> codec) => gen.Sample(value => Assert.Equal(value, RoundTrip(codec, value)));

    static T RoundTrip<T>(ValueCodec<T> codec, T value) => Read(codec, Write(codec, value));

    static byte[] Write<T>(ValueCodec<T> codec, T value)
    {
        var writer = new ValueWriter();
        codec.Write(writer, value);
        return writer.Written.ToArray();
    }

    static T Read<T>(ValueCodec<T> codec, byte[] bytes)
    {
        var reader = new ValueReader(bytes);
        var value = codec.Read(ref reader);
        return value;
    }
}
