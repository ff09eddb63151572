using CsCheck;

namespace Datacake.EventualConsistency.Tests.Keys;

public sealed class OrderedKeyReaderTests
{
    static readonly Gen<object?> AnyValue = Gen.OneOf(
        Gen.Const((object?)null),
        Gen.Bool.Select(static value => (object?)value),
        Gen.Long.Select(static value => (object?)value),
        Gen.ULong.Select(static value => (object?)value),
        Gen.Double.Select(static value => (object?)value),
        Gen.Decimal.Select(static value => (object?)value),
        Gen.Guid.Select(static value => (object?)value),
        Gen.String[Gen.Char['a', '\u00ff'], 0, 9].Select(static value => (object?)value),
        Gen.Byte.Array[0, 9].Select(static value => (object?)value));

    [Fact]
    public void Value_of_every_type_is_read_as_its_encoded_bytes() => AnyValue.Array[0, 6].Sample(values =>
    {
        var writer = new OrderedKeyWriter();
        var encoded = new List<byte[]>();
        foreach (object? value in values)
        {
            int start = writer.Length;
            Write(writer, value);
            encoded.Add(writer.Written[start..].ToArray());
        }

        var reader = new OrderedKeyReader(writer.Written);
        foreach (byte[] expected in encoded)
            Assert.Equal(expected, reader.ReadEncoded().ToArray());

        Assert.True(reader.IsAtEnd);
    });

    [Fact]
    public void Unknown_escape_sequence_is_refused_however_it_is_read()
    {
        byte[] encoded = [0x20, 0x61, 0x00, 0x07, 0x61, 0x00, 0x01];

        Assert.Throws<InvalidDataException>(() => new OrderedKeyReader(encoded).ReadString());
        Assert.Throws<InvalidDataException>(() => new OrderedKeyReader(encoded).ReadEncoded().Length);
    }

    static void Write(OrderedKeyWriter writer, object? value)
    {
        switch (value)
        {
            case null: writer.WriteNull(); break;
            case bool boolean: writer.Write(boolean); break;
            case long number: writer.Write(number); break;
            case ulong number: writer.Write(number); break;
            case double number: writer.Write(number); break;
            case decimal number: writer.Write(number); break;
            case Guid guid: writer.Write(guid); break;
            case string text: writer.Write(text); break;
            case byte[] bytes: writer.Write(bytes); break;
            default: throw new ArgumentException($"{value.GetType()} is not a type of a key.", nameof(value));
        }
    }
}
