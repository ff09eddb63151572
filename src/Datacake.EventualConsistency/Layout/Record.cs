using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Datacake.Crdt;
using MessagePack;

namespace Datacake.EventualConsistency.Layout;

/// <summary>Reads and writes the records of the store and the messages of replicas, as MessagePack.</summary>
static class Record
{
    /// <summary>The longest name, in characters.</summary>
    const int MaxNameLength = 256;

    const int MaxSentenceLength = 2_000;
    const int MaxProofLength = 256;
    const int MinFirstLength = 16;

    /// <summary>The longest version vector, in bytes: millions of intervals, where healthy clusters have one for each node.</summary>
    const int MaxVectorLength = 64 * 1024 * 1024;

    public delegate void Writing<in T>(ref MessagePackWriter writer, T value);

    public delegate T Reading<T>(ref MessagePackReader reader);

    /// <summary>Encodes what <paramref name="write"/> writes of a value.</summary>
    public static byte[] Encode<T>(T value, Writing<T> write)
    {
        using var output = new PooledWriter();
        Encode(value, output, write);
        return output.Written.ToArray();
    }

    /// <summary>Appends to an output what <paramref name="write"/> writes of a value.</summary>
    public static void Encode<T>(T value, PooledWriter output, Writing<T> write)
    {
        var writer = new MessagePackWriter(output);
        write(ref writer, value);
        writer.Flush();
    }

    /// <summary>Decodes bytes from disk or network.</summary>
    /// <exception cref="InvalidDataException">They are not what <paramref name="what"/> says.</exception>
    public static T Decode<T>(ReadOnlyMemory<byte> encoded, string what, Reading<T> read)
    {
        try
        {
            var reader = new MessagePackReader(encoded);
            return read(ref reader);
        }
        catch (Exception e) when (e is MessagePackSerializationException or EndOfStreamException or OverflowException or ArgumentException)
        {
            throw new InvalidDataException($"The bytes of {what} are damaged: {e.Message}", e);
        }
    }

    public static void WriteStamp(ref MessagePackWriter writer, HlcTimestamp stamp) => writer.WriteUInt64(stamp.Packed);

    public static HlcTimestamp ReadStamp(ref MessagePackReader reader) => new(reader.ReadUInt64());

    public static void WriteStamps(ref MessagePackWriter writer, IReadOnlyCollection<HlcTimestamp> stamps)
    {
        writer.WriteArrayHeader(stamps.Count);
        foreach (var stamp in stamps)
            WriteStamp(ref writer, stamp);
    }

    public static HlcTimestamp[] ReadStamps(ref MessagePackReader reader, int max = int.MaxValue, string what = "stamps")
    {
        var stamps = new HlcTimestamp[ReadCount(ref reader, max, what)];
        for (int i = 0; i < stamps.Length; i++)
            stamps[i] = ReadStamp(ref reader);
        return stamps;
    }

    public static void WriteVector(ref MessagePackWriter writer, VersionVector vector)
    {
        using var bytes = new PooledWriter();
        vector.Write(bytes);
        writer.Write(bytes.Written);
    }

    public static VersionVector ReadVector(ref MessagePackReader reader)
    {
        ReadOnlySpan<byte> bytes = ReadView(ref reader).Span;
        if (bytes.Length > MaxVectorLength)
            throw new InvalidDataException($"A version vector has {bytes.Length} bytes; the limit is {MaxVectorLength}.");
        var vector = VersionVector.Read(ref bytes);
        return bytes.IsEmpty ? vector : throw new InvalidDataException("Bytes follow a version vector.");
    }

    /// <summary>Reads bytes; a copy, so that the message that they came in can be let go.</summary>
    public static ReadOnlyMemory<byte> ReadBytes(ref MessagePackReader reader) =>
        reader.ReadBytes() is { } bytes ? bytes.ToArray() : throw new InvalidDataException("Bytes are missing where some should be.");

    /// <summary>Reads bytes as a view of the memory that is read.</summary>
    public static ReadOnlyMemory<byte> ReadView(ref MessagePackReader reader)
    {
        if (reader.ReadBytes() is not { } bytes)
            throw new InvalidDataException("Bytes are missing where some should be.");
        return bytes.IsSingleSegment ? bytes.First : bytes.ToArray();
    }

    /// <summary>Reads a proof, which is short, or empty.</summary>
    public static ReadOnlyMemory<byte> ReadProof(ref MessagePackReader reader)
    {
        var proof = ReadBytes(ref reader);
        return proof.Length <= MaxProofLength ? proof : throw new InvalidDataException($"A proof has {proof.Length} bytes; the limit is {MaxProofLength}.");
    }

    public static void WriteNumbers(ref MessagePackWriter writer, IReadOnlyCollection<ulong> numbers)
    {
        writer.WriteArrayHeader(numbers.Count);
        foreach (ulong number in numbers)
            writer.Write(number);
    }

    public static ulong[] ReadNumbers(ref MessagePackReader reader, int max = int.MaxValue, string what = "numbers")
    {
        var numbers = new ulong[ReadCount(ref reader, max, what)];
        for (int i = 0; i < numbers.Length; i++)
            numbers[i] = reader.ReadUInt64();
        return numbers;
    }

    public static void WriteNumber(ref MessagePackWriter writer, UInt128? number)
    {
        if (number is not { } value)
        {
            writer.WriteNil();
            return;
        }
        const int Length = 16;
        writer.WriteBinHeader(Length);
        BinaryPrimitives.WriteUInt128LittleEndian(writer.GetSpan(Length), value);
        writer.Advance(Length);
    }

    public static UInt128? ReadNumber(ref MessagePackReader reader)
    {
        if (reader.TryReadNil())
            return null;
        ReadOnlySpan<byte> bytes = ReadBytes(ref reader).Span;
        return bytes.Length == 16 ? BinaryPrimitives.ReadUInt128LittleEndian(bytes) : throw new InvalidDataException("A number of 16 bytes has another length.");
    }

    public static string ReadText(ref MessagePackReader reader) =>
        reader.ReadString() ?? throw new InvalidDataException("A text is missing where one should be.");

    /// <summary>
    /// Reads the length of a list, and makes a first array for it; the rest comes with <see cref="RoomFor"/>. So memory is taken as elements come: at most as many
    /// bytes ahead as are left to read, whatever length the list claims.
    /// </summary>
    public static T[] BeginArray<T>(ref MessagePackReader reader, out int count)
    {
        long rest = reader.Sequence.Slice(reader.Position).Length;
        count = ReadCount(ref reader);
        return new T[(int)Math.Min(count, Math.Max(MinFirstLength, rest / Unsafe.SizeOf<T>()))];
    }

    /// <summary>Returns the place of an element in an array that grows to its whole length as elements come.</summary>
    public static ref T RoomFor<T>(ref T[] items, int index, int count)
    {
        if (index == items.Length)
            Array.Resize(ref items, (int)Math.Min(count, 2L * items.Length));
        return ref items[index];
    }

    /// <summary>Reads a list of at most so many elements.</summary>
    /// <exception cref="InvalidDataException">There are more.</exception>
    public static int ReadCount(ref MessagePackReader reader, int max, string what) => ReadCount(ref reader) is var count && count <= max
        ? count
        : throw new InvalidDataException($"There are {count} {what}; the limit is {max}.");

    /// <summary>Reads a name, such as that of a data center.</summary>
    /// <exception cref="InvalidDataException">It is too long, or has control characters, which would reach the log.</exception>
    public static string ReadName(ref MessagePackReader reader)
    {
        string name = ReadText(ref reader);
        return name.Length <= MaxNameLength && !name.Any(char.IsControl)
            ? name
            : throw new InvalidDataException($"A name of {name.Length} characters is longer than {MaxNameLength}, or has control characters.");
    }

    /// <summary>Reads a sentence that somebody else has written: cut off where it is too long for a log, and without control characters.</summary>
    public static string ReadSentence(ref MessagePackReader reader)
    {
        string text = ReadText(ref reader);
        if (text.Length > MaxSentenceLength)
            text = text[..MaxSentenceLength] + "…";
        return text.Any(char.IsControl) ? string.Concat(text.Select(static letter => char.IsControl(letter) ? ' ' : letter)) : text;
    }

    /// <summary>Reads the length of a list. More elements than bytes that could hold them are refused before memory is taken for them.</summary>
    public static int ReadCount(ref MessagePackReader reader)
    {
        long rest = reader.Sequence.Slice(reader.Position).Length;
        int count = reader.ReadArrayHeader();
        return count <= rest ? count : throw new InvalidDataException($"A list claims {count} elements in {rest} bytes.");
    }
}
