using System.Buffers;
using System.Buffers.Binary;
using Datacake.Crdt;
using Datacake.EventualConsistency;

namespace Datacake.Extensions.Caching.Records;

/// <summary>
/// The value of a document of a cache: a format byte, a byte with the kind and flags, what the flags say, and the payload. Numbers are big-endian.
/// </summary>
readonly struct CacheRecord
{
    const byte Format = 1;
    const int KindMask = 3, HasSliding = 4, HasAbsolute = 8, HasNull = 32, HasKnowledge = 64, HasEntryStamp = 128;
    const int AllFlags = KindMask | HasSliding | HasAbsolute | HasNull | HasKnowledge | HasEntryStamp;

    public const int MaxTags = ushort.MaxValue;

    public CacheRecordKind Kind { get; init; }

    /// <summary>Gets the time without a read after which the entry expires; zero if reads do not keep it.</summary>
    public TimeSpan Sliding { get; init; }

    /// <summary>Gets the instant that bounds a sliding expiry; null if there is none.</summary>
    public DateTimeOffset? Absolute { get; init; }

    /// <summary>Gets the changes that the maker of the value knew when it began; null if the document is no entry of a hybrid cache.</summary>
    public Knowledge? Known { get; init; }

    public bool IsNull { get; init; }

    public ReadOnlyMemory<byte> Payload { get; init; }

    /// <summary>Gets the length of everything but the payload, in bytes.</summary>
    public int HeaderLength => 2 + (Sliding > TimeSpan.Zero ? sizeof(long) : 0) + (Absolute is null ? 0 : sizeof(long))
        + KnowledgeLength;

    int KnowledgeLength
    {
        get
        {
            if (Known is null)
                return 0;
            int length = HlcTimestamp.Size + sizeof(ushort) + (Known.Entry is null ? 0 : HlcTimestamp.Size);
            foreach (var tag in Known.Tags)
                length += 1 + tag.Tag.Encoded.Length + HlcTimestamp.Size;
            return length;
        }
    }

    /// <summary>Writes everything but the payload, whose place is after it.</summary>
    public void WriteHeader(Span<byte> destination)
    {
        destination[0] = Format;
        destination[1] = (byte)((int)Kind | (Sliding > TimeSpan.Zero ? HasSliding : 0) | (Absolute is null ? 0 : HasAbsolute) | (IsNull ? HasNull : 0)
            | (Known is null ? 0 : HasKnowledge) | (Known?.Entry is null ? 0 : HasEntryStamp));
        destination = destination[2..];
        if (Sliding > TimeSpan.Zero)
            WriteInt64(ref destination, Sliding.Ticks);
        if (Absolute is { } absolute)
            WriteInt64(ref destination, absolute.UtcTicks);
        if (Known is null)
            return;
        if (Known.Entry is { } entry)
            WriteInt64(ref destination, (long)entry.Packed);
        WriteInt64(ref destination, (long)Known.Everything.Packed);
        BinaryPrimitives.WriteUInt16BigEndian(destination, (ushort)Known.Tags.Length);
        destination = destination[sizeof(ushort)..];
        foreach (var tag in Known.Tags)
        {
            var encoded = tag.Tag.Encoded.Span;
            destination[0] = (byte)encoded.Length;
            encoded.CopyTo(destination[1..]);
            destination = destination[(1 + encoded.Length)..];
            WriteInt64(ref destination, (long)tag.Known.Packed);
        }
    }

    /// <summary>Returns the bytes of the record, whose payload is not its own.</summary>
    public byte[] Encode(ReadOnlySequence<byte> payload)
    {
        int header = HeaderLength;
        byte[] bytes = new byte[checked(header + (int)payload.Length)];
        WriteHeader(bytes);
        payload.CopyTo(bytes.AsSpan(header));
        return bytes;
    }

    /// <summary>Reads a record in place. Returns false if the bytes are not one, or are one of a later format.</summary>
    public static bool TryRead(Document? document, out CacheRecord record)
    {
        record = default;
        return document?.Value is { } value && TryRead(value, out record);
    }

    /// <inheritdoc cref="TryRead(Document?, out CacheRecord)"/>
    public static bool TryRead(ReadOnlyMemory<byte> value, out CacheRecord record)
    {
        record = default;
        var rest = value.Span;
        if (rest.Length < 2 || rest[0] != Format)
            return false;
        int flags = rest[1];
        rest = rest[2..];
        long sliding = 0, absolute = 0, entry = 0, everything = 0;
        TagStamp[] tags = [];
        if ((flags & ~AllFlags) != 0 || ((flags & HasSliding) != 0 && !TryReadInt64(ref rest, out sliding)) || ((flags & HasAbsolute) != 0 && !TryReadInt64(ref rest, out absolute))
            || ((flags & HasEntryStamp) != 0 && !TryReadInt64(ref rest, out entry))
            || ((flags & HasKnowledge) != 0 && !(TryReadInt64(ref rest, out everything) && TryReadTags(ref rest, out tags)))
            || sliding < 0 || absolute < 0 || absolute > DateTimeOffset.MaxValue.Ticks)
        {
            return false;
        }
        record = new CacheRecord
        {
            Kind = (CacheRecordKind)(flags & KindMask),
            Sliding = TimeSpan.FromTicks(sliding),
            Absolute = (flags & HasAbsolute) != 0 ? new DateTimeOffset(absolute, TimeSpan.Zero) : null,
            Known = (flags & HasKnowledge) == 0
                ? null
                : new Knowledge((flags & HasEntryStamp) != 0 ? new HlcTimestamp((ulong)entry) : null, new HlcTimestamp((ulong)everything), tags),
            IsNull = (flags & HasNull) != 0,
            Payload = value[^rest.Length..],
        };
        return true;
    }

    /// <summary>Returns the error that the value of an entry is too large.</summary>
    public static ArgumentException TooLarge(string key, long length, string remedy, Exception? inner = null) =>
        new($"The value of the cache entry '{(key.Length <= 100 ? key : key[..100] + "…")}' has {length} bytes, which is too large; nothing was stored. {remedy}", inner);

    static bool TryReadTags(ref ReadOnlySpan<byte> rest, out TagStamp[] tags)
    {
        tags = [];
        if (!BinaryPrimitives.TryReadUInt16BigEndian(rest, out ushort count))
            return false;
        rest = rest[sizeof(ushort)..];
        if (count == 0)
            return true;
        // Each tag takes ten bytes at least, so that a damaged count does not ask for much memory.
        if (rest.Length < (2 + HlcTimestamp.Size) * count)
            return false;
        tags = new TagStamp[count];
        for (int i = 0; i < count; i++)
        {
            if (rest.IsEmpty || rest[0] is 0 or > DocumentKey.MaxLength || rest.Length <= rest[0])
                return false;
            var tag = new DocumentKey(rest.Slice(1, rest[0]).ToArray());
            rest = rest[(1 + rest[0])..];
            if (!TryReadInt64(ref rest, out long known))
                return false;
            tags[i] = new TagStamp(tag, new HlcTimestamp((ulong)known));
        }
        return true;
    }

    static void WriteInt64(ref Span<byte> destination, long value)
    {
        BinaryPrimitives.WriteInt64BigEndian(destination, value);
        destination = destination[sizeof(long)..];
    }

    static bool TryReadInt64(ref ReadOnlySpan<byte> rest, out long value)
    {
        if (!BinaryPrimitives.TryReadInt64BigEndian(rest, out value))
            return false;
        rest = rest[sizeof(long)..];
        return true;
    }
}
