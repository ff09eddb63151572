using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Datacake.Crdt;
using MessagePack;

namespace Datacake.EventualConsistency.Layout;

/// <summary>The MessagePack encoding of the store's records and of messages between replicas.</summary>
static class Record
{
    /// <summary>The maximum length of a name, in characters.</summary>
    const int MaxNameLength = 256;

    const int MaxSentenceLength = 2_000;
    const int MaxProofLength = 256;
    const int MinFirstLength = 16;

    /// <summary>
    /// The maximum length of a version vector, in bytes. It fits millions of intervals; a healthy cluster has one for each node.
    /// </summary>
    const int MaxVectorLength = 64 * 1024 * 1024;

    public delegate void Writing<in T>(ref MessagePackWriter writer, T value);

    public delegate T Reading<T>(ref MessagePackReader reader);

    /// <summary>Returns the encoding of a value, as <paramref name="write"/> writes it.</summary>
    public static byte[] Encode<T>(T value, Writing<T> write)
    {
        using var output = new PooledWriter();
        Encode(value, output, write);
        return output.Written.ToArray();
    }

    /// <summary>Appends the encoding of a value, as <paramref name="write"/> writes it, to an output.</summary>
    public static void Encode<T>(T value, PooledWriter output, Writing<T> write)
    {
        var writer = new MessagePackWriter(output);
        write(ref writer, value);
        writer.Flush();
    }

    /// <summary>Decodes bytes from a disk or the network, which must contain nothing else.</summary>
    /// <exception cref="InvalidDataException">The bytes are not valid. The message calls them <paramref name="what"/>.</exception>
    public static T Decode<T>(ReadOnlyMemory<byte> encoded, string what, Reading<T> read) => Decode(encoded, what, mayHaveMore: false, read);

    /// <summary>Decodes the values at the beginning of a message. A newer version of the sender may have appended others.</summary>
    /// <exception cref="InvalidDataException">The bytes are not valid. The message calls them <paramref name="what"/>.</exception>
    public static T DecodeBeginning<T>(ReadOnlyMemory<byte> encoded, string what, Reading<T> read) => Decode(encoded, what, mayHaveMore: true, read);

    static T Decode<T>(ReadOnlyMemory<byte> encoded, string what, bool mayHaveMore, Reading<T> read)
    {
        try
        {
            var reader = new MessagePackReader(encoded);
            var decoded = read(ref reader);
            return reader.End || mayHaveMore ? decoded : throw new InvalidDataException($"The bytes of {what} are damaged: unexpected bytes follow.");
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
            throw new InvalidDataException($"A version vector has {bytes.Length} bytes. The limit is {MaxVectorLength} bytes.");
        var vector = VersionVector.Read(ref bytes);
        return bytes.IsEmpty ? vector : throw new InvalidDataException("A version vector is followed by unexpected bytes.");
    }

    /// <summary>Reads bytes into a copy, so that the message that contains them can be released.</summary>
    public static ReadOnlyMemory<byte> ReadBytes(ref MessagePackReader reader) =>
        reader.ReadBytes() is { } bytes ? bytes.ToArray() : throw new InvalidDataException("Bytes were expected, but none are present.");

    /// <summary>Reads bytes as a view of the input.</summary>
    public static ReadOnlyMemory<byte> ReadView(ref MessagePackReader reader)
    {
        if (reader.ReadBytes() is not { } bytes)
            throw new InvalidDataException("Bytes were expected, but none are present.");
        return bytes.IsSingleSegment ? bytes.First : bytes.ToArray();
    }

    /// <summary>Reads a proof, which is short and may be empty.</summary>
    public static ReadOnlyMemory<byte> ReadProof(ref MessagePackReader reader)
    {
        var proof = ReadBytes(ref reader);
        return proof.Length <= MaxProofLength ? proof : throw new InvalidDataException($"A proof has {proof.Length} bytes. The limit is {MaxProofLength} bytes.");
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
        return bytes.Length == 16 ? BinaryPrimitives.ReadUInt128LittleEndian(bytes) : throw new InvalidDataException($"A 128-bit number has {bytes.Length} bytes instead of 16.");
    }

    /// <summary>Reads the number of a value of an enumeration, which has the values from 0 to <paramref name="last"/>.</summary>
    /// <exception cref="InvalidDataException">The enumeration has no such value. The message calls it <paramref name="what"/>.</exception>
    public static byte ReadChoice(ref MessagePackReader reader, byte last, string what) =>
        reader.ReadByte() is var number && number <= last ? number : throw new InvalidDataException($"The {what} {number} is unknown.");

    public static string ReadText(ref MessagePackReader reader) =>
        reader.ReadString() ?? throw new InvalidDataException("A string was expected, but none is present.");

    /// <summary>
    /// Reads the length of a list, and allocates the beginning of an array for it; <see cref="RoomFor"/> grows the array. Memory is taken
    /// as elements arrive: it is never more than the remaining input ahead of them, whatever length the list claims.
    /// </summary>
    public static T[] BeginArray<T>(ref MessagePackReader reader, out int count)
    {
        long rest = reader.Sequence.Slice(reader.Position).Length;
        count = ReadCount(ref reader);
        return new T[(int)Math.Min(count, Math.Max(MinFirstLength, rest / Unsafe.SizeOf<T>()))];
    }

    /// <summary>Returns a reference to an element of an array that grows up to its full length as elements arrive.</summary>
    public static ref T RoomFor<T>(ref T[] items, int index, int count)
    {
        if (index == items.Length)
            Array.Resize(ref items, (int)Math.Min(count, 2L * items.Length));
        return ref items[index];
    }

    /// <summary>Reads the length of a list that has a maximum length.</summary>
    /// <exception cref="InvalidDataException">The list is longer.</exception>
    public static int ReadCount(ref MessagePackReader reader, int max, string what) => ReadCount(ref reader) is var count && count <= max
        ? count
        : throw new InvalidDataException($"There are {count} {what}. The limit is {max}.");

    /// <summary>Reads a name, such as the name of a data center.</summary>
    /// <exception cref="InvalidDataException">
    /// The name is too long, or contains control characters, which must not reach the log.
    /// </exception>
    public static string ReadName(ref MessagePackReader reader)
    {
        string name = ReadText(ref reader);
        return name.Length <= MaxNameLength && !name.Any(char.IsControl)
            ? name
            : throw new InvalidDataException($"A name of {name.Length} characters is longer than {MaxNameLength} characters or contains control characters.");
    }

    /// <summary>
    /// Reads a sentence written by another node, truncates it to a length that is suitable for a log, and replaces control characters.
    /// </summary>
    public static string ReadSentence(ref MessagePackReader reader)
    {
        string text = ReadText(ref reader);
        if (text.Length > MaxSentenceLength)
            text = text[..MaxSentenceLength] + "…";
        return text.Any(char.IsControl) ? string.Concat(text.Select(static letter => char.IsControl(letter) ? ' ' : letter)) : text;
    }

    /// <summary>
    /// Reads the length of a list. A length of more elements than the remaining bytes is refused before memory is allocated for the list.
    /// </summary>
    public static int ReadCount(ref MessagePackReader reader)
    {
        long rest = reader.Sequence.Slice(reader.Position).Length;
        int count = reader.ReadArrayHeader();
        return count <= rest ? count : throw new InvalidDataException($"A list claims to have {count} elements, but only {rest} bytes follow.");
    }
}
