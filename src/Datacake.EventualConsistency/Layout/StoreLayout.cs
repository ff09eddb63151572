using System.Buffers.Binary;
using Datacake.Crdt;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Layout;

/// <summary>
/// The layout of the storage keys. The first byte is the range. Keyspaces and indexes have small local numbers, which never leave the node.
/// Nothing is written outside of <see cref="All"/>: the node and other components may keep records of their own in the same storage.
/// </summary>
/// <remarks>
/// The records that each commit writes apart from documents are adjacent, at the end of the log: the newest log records, the replica's
/// state, and the records of keyspaces. In a storage that keeps its keys in a tree, this means one page to write instead of two.
/// </remarks>
static class StoreLayout
{
    /// <summary>
    /// The version of this layout and of all encodings in it. A store of a different version is refused. Versions before 6 were never
    /// released.
    /// </summary>
    public const uint Format = 10;

    /// <summary>
    /// Returns the format record: the format number and, because the record has no checksum, the complement of the number.
    /// </summary>
    public static byte[] EncodeFormat()
    {
        byte[] record = new byte[2 * sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(record, Format);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(sizeof(uint)), ~Format);
        return record;
    }

    /// <summary>Reads a format record. Formats before 6 stored only the number.</summary>
    /// <exception cref="InvalidDataException">The record is damaged.</exception>
    public static uint DecodeFormat(ReadOnlySpan<byte> record) => record.Length switch
    {
        sizeof(uint) => BinaryPrimitives.ReadUInt32LittleEndian(record),
        2 * sizeof(uint) when BinaryPrimitives.ReadUInt32LittleEndian(record) is var format && BinaryPrimitives.ReadUInt32LittleEndian(record[sizeof(uint)..]) == ~format => format,
        _ => throw new InvalidDataException("Its format record is not valid."),
    };

    const byte MetaRange = 0x00, DocumentRange = 0x01, LogRange = 0x02, StateRange = 0x03, KeyspaceRange = 0x04, IndexRange = 0x05, IndexEntryRange = 0x06,
        ArrivingRange = 0x07, ArrivingLogRange = 0x08, SequenceRange = 0x09;

    /// <summary>The length of the prefix before a document's key: the range and the keyspace.</summary>
    public const int DocumentPrefixLength = 3;

    /// <summary>The length of the prefix before an index entry's value: the range and the index.</summary>
    public const int IndexEntryPrefixLength = 3;

    public static readonly ReadOnlyMemory<byte> FormatKey = new byte[] { MetaRange, (byte)'f' };
    public static readonly ReadOnlyMemory<byte> IdentityKey = new byte[] { MetaRange, (byte)'i' };
    public static readonly ReadOnlyMemory<byte> StateKey = new byte[] { StateRange };

    /// <summary>The key of the seed's progress, on a store that joins.</summary>
    public static readonly ReadOnlyMemory<byte> SeedKey = new byte[] { MetaRange, (byte)'j' };

    /// <summary>The key of the record of a follower's copy.</summary>
    public static readonly ReadOnlyMemory<byte> FollowedKey = new byte[] { MetaRange, (byte)'w' };

    /// <summary>The key of the record of the time at which a follower was last connected to a member.</summary>
    public static readonly ReadOnlyMemory<byte> FollowersKey = new byte[] { MetaRange, (byte)'v' };

    /// <summary>
    /// The key of the mark of a store that was restored from a backup or another copy. Whoever restores one puts an empty record there before the store is opened:
    /// the store has forgotten what it has told other members since [S9].
    /// </summary>
    public static readonly ReadOnlyMemory<byte> RestoredKey = RestoreMark.Key;

    /// <summary>The key of the state of the sequence. The entries follow it.</summary>
    public static readonly ReadOnlyMemory<byte> SequenceKey = new byte[] { SequenceRange };

    const byte LastRange = SequenceRange;

    /// <summary>The range of everything in the replicated store. The node's own keys come after it.</summary>
    public static readonly KeyRange All = new(default, new byte[] { LastRange + 1 });

    /// <summary>Checks that a batch stays within the range of the replicated store.</summary>
    /// <exception cref="InvalidOperationException">A key of the batch is outside of the range.</exception>
    public static void Check(WriteBatch batch)
    {
        foreach (var operation in batch.Operations)
        {
            if (operation.Key.IsEmpty || operation.Key.Span[0] > LastRange)
                throw new InvalidOperationException($"The key {Convert.ToHexString(operation.Key.Span)} does not belong to the replicated store. Nothing was written.");
        }
    }

    public static readonly KeyRange AllKeyspaces = RangeOf(KeyspaceRange);
    public static readonly KeyRange AllDocuments = RangeOf(DocumentRange);
    public static readonly KeyRange AllLog = RangeOf(LogRange);
    public static readonly KeyRange AllIndexes = RangeOf(IndexRange);
    public static readonly KeyRange AllIndexEntries = RangeOf(IndexEntryRange);

    /// <summary>The range of documents in a snapshot of another replica that is set aside.</summary>
    public static readonly KeyRange AllArriving = RangeOf(ArrivingRange);

    /// <summary>The range of log records in a snapshot of another replica that is set aside.</summary>
    public static readonly KeyRange AllArrivingLog = RangeOf(ArrivingLogRange);

    /// <summary>The range of the entries of the sequence, which are ordered by their indexes.</summary>
    public static readonly KeyRange AllSequenceEntries = new(SequenceEntryKey(0), new byte[] { SequenceRange + 1 });

    public static byte[] SequenceEntryKey(ulong index)
    {
        var key = new byte[1 + sizeof(ulong)];
        key[0] = SequenceRange;
        BinaryPrimitives.WriteUInt64BigEndian(key.AsSpan(1), index);
        return key;
    }

    /// <summary>Returns the index in the key of an entry of the sequence.</summary>
    /// <exception cref="InvalidDataException">The key is not that of an entry.</exception>
    public static ulong IndexOfSequenceEntry(ReadOnlySpan<byte> key) => key.Length == 1 + sizeof(ulong)
        ? BinaryPrimitives.ReadUInt64BigEndian(key[1..])
        : throw new InvalidDataException($"The key {Convert.ToHexString(key)} is not that of an entry of the sequence.");

    public static byte[] KeyspaceKey(ushort keyspace) => Numbered(KeyspaceRange, keyspace, []);

    public static byte[] IndexKey(ushort index) => Numbered(IndexRange, index, []);

    public static byte[] DocumentKey(ushort keyspace, ReadOnlySpan<byte> key) => Numbered(DocumentRange, keyspace, key);

    /// <summary>Returns the storage keys of documents, in a single block of memory.</summary>
    public static ReadOnlyMemory<byte>[] DocumentKeys(ushort keyspace, IReadOnlyList<EventualConsistency.DocumentKey> keys)
    {
        int length = 0;
        for (int i = 0; i < keys.Count; i++)
            length += DocumentPrefixLength + keys[i].Encoded.Length;
        var all = new byte[length];
        var storageKeys = new ReadOnlyMemory<byte>[keys.Count];
        for (int i = 0, start = 0; i < keys.Count; i++)
        {
            var key = keys[i].Encoded.Span;
            storageKeys[i] = all.AsMemory(start, DocumentPrefixLength + key.Length);
            WriteDocumentKey(all.AsSpan(start), keyspace, key);
            start += DocumentPrefixLength + key.Length;
        }
        return storageKeys;
    }

    public static void WriteDocumentKey(Span<byte> output, ushort keyspace, ReadOnlySpan<byte> key) => WriteNumbered(output, DocumentRange, keyspace, key);

    public static KeyRange Documents(ushort keyspace) => KeyRange.WithPrefix(Numbered(DocumentRange, keyspace, []));

    public static byte[] IndexEntryKey(ushort index, ReadOnlySpan<byte> value, ReadOnlySpan<byte> key)
    {
        var entry = new byte[IndexEntryPrefixLength + value.Length + key.Length];
        WriteIndexEntryKey(entry, index, value, key);
        return entry;
    }

    public static void WriteIndexEntryKey(Span<byte> output, ushort index, ReadOnlySpan<byte> value, ReadOnlySpan<byte> key)
    {
        WriteNumbered(output, IndexEntryRange, index, value);
        key.CopyTo(output[(IndexEntryPrefixLength + value.Length)..]);
    }

    public static KeyRange IndexEntries(ushort index) => KeyRange.WithPrefix(Numbered(IndexEntryRange, index, []));

    /// <summary>Returns the range of the storage keys with a prefix whose remaining bytes are in a range of suffixes.</summary>
    public static KeyRange Within(KeyRange prefix, KeyRange suffixes) => new(
        Concat(prefix.Start.Span, suffixes.Start.Span),
        suffixes.End is { } end ? Concat(prefix.Start.Span, end.Span) : prefix.End);

    public const int LogKeyLength = 1 + HlcTimestamp.Size;

    public static byte[] LogKey(HlcTimestamp stamp) => Stamped(LogRange, stamp);

    public static void WriteLogKey(Span<byte> output, HlcTimestamp stamp)
    {
        output[0] = LogRange;
        stamp.Write(output[1..]);
    }

    public static byte[] ArrivingLogKey(HlcTimestamp stamp) => Stamped(ArrivingLogRange, stamp);

    public static HlcTimestamp StampOfLogKey(ReadOnlySpan<byte> key) => HlcTimestamp.Read(key[1..]);

    /// <summary>Returns the range of the log records with stamps in (<paramref name="low"/>, <paramref name="high"/>].</summary>
    public static KeyRange Log(HlcTimestamp low, HlcTimestamp high) =>
        new KeyRange(LogKey(low), null).After(LogKey(low)) with { End = new KeyRange(default, null).After(LogKey(high)).Start };

    /// <summary>
    /// Returns true if the record of a key has a checksum. The format record has none, so that it can be read in every format; it contains
    /// its number twice instead.
    /// </summary>
    public static bool HasChecksum(ReadOnlySpan<byte> key) => !key.SequenceEqual(FormatKey.Span) && !key.SequenceEqual(RestoredKey.Span);

    public static bool IsIndexEntryKey(ReadOnlySpan<byte> key) => key.Length >= IndexEntryPrefixLength && key[0] == IndexEntryRange;

    public static bool IsArrivingKey(ReadOnlySpan<byte> key) => key.Length > 0 && key[0] is ArrivingRange or ArrivingLogRange;

    public static bool IsKeyspaceKey(ReadOnlySpan<byte> key) => key.Length == DocumentPrefixLength && key[0] == KeyspaceRange;

    public static bool IsIndexKey(ReadOnlySpan<byte> key) => key.Length == DocumentPrefixLength && key[0] == IndexRange;

    public static bool IsLogKey(ReadOnlySpan<byte> key) => key.Length == LogKeyLength && key[0] == LogRange;

    /// <summary>Returns a description of the record under a key, for messages.</summary>
    /// <param name="key">The key.</param>
    /// <param name="keyspace">Returns the name of the keyspace with a number, or null if there is none.</param>
    public static string Describe(ReadOnlySpan<byte> key, Func<ushort, string?>? keyspace = null)
    {
        return (key.IsEmpty ? MetaRange : key[0]) switch
        {
            DocumentRange when IsDocumentKey(key) => $"the document {new EventualConsistency.DocumentKey(key[DocumentPrefixLength..].ToArray())} of {NameOf(key)}",
            DocumentRange => "a document with an invalid key",
            ArrivingRange => "a document received from another node",
            LogRange when key.Length == LogKeyLength => $"the log record of {StampOfLogKey(key)}",
            ArrivingLogRange => "a log record received from another node",
            KeyspaceRange when key.Length == DocumentPrefixLength => $"the record of {NameOf(key)}",
            IndexRange => "the record of an index",
            IndexEntryRange => "an entry of an index",
            StateRange => "the record of the store's known set",
            _ when key.SequenceEqual(IdentityKey.Span) => "the record of the store's identity",
            SequenceRange when key.Length == 1 => "the state of the sequence of serial transactions",
            SequenceRange => "an entry of the sequence of serial transactions",
            _ when key.SequenceEqual(SeedKey.Span) => "the record of the progress of joining",
            _ when key.SequenceEqual(RestoredKey.Span) => "the mark of a restored store",
            _ => "a record of an unknown kind",
        };

        string NameOf(ReadOnlySpan<byte> numbered) =>
            keyspace?.Invoke(NumberOf(numbered)) is { } name ? $"'{name}'" : $"keyspace number {NumberOf(numbered)}";
    }

    /// <summary>
    /// Returns true if a document can be stored under a key. In a damaged file, a record among the documents may have any key.
    /// </summary>
    public static bool IsDocumentKey(ReadOnlySpan<byte> key) =>
        key.Length > DocumentPrefixLength && key.Length <= DocumentPrefixLength + EventualConsistency.DocumentKey.MaxLength && key[0] == DocumentRange;

    public static ushort KeyspaceOf(ReadOnlySpan<byte> documentKey) => BinaryPrimitives.ReadUInt16BigEndian(documentKey[1..]);

    /// <summary>Returns the number in the key of a keyspace's or an index's record.</summary>
    public static ushort NumberOf(ReadOnlySpan<byte> recordKey) => BinaryPrimitives.ReadUInt16BigEndian(recordKey[1..]);

    /// <summary>Returns the key under which the other replica's version of a document is set aside.</summary>
    public static byte[] ArrivingKey(ReadOnlySpan<byte> documentKey)
    {
        byte[] key = documentKey.ToArray();
        key[0] = ArrivingRange;
        return key;
    }

    public static byte[] DocumentKeyOfArriving(ReadOnlySpan<byte> arrivingKey)
    {
        byte[] key = arrivingKey.ToArray();
        key[0] = DocumentRange;
        return key;
    }

    static byte[] Stamped(byte range, HlcTimestamp stamp)
    {
        var key = new byte[1 + HlcTimestamp.Size];
        key[0] = range;
        stamp.Write(key.AsSpan(1));
        return key;
    }

    static KeyRange RangeOf(byte range) => KeyRange.WithPrefix(new[] { range });

    static byte[] Numbered(byte range, ushort number, ReadOnlySpan<byte> rest)
    {
        var key = new byte[3 + rest.Length];
        WriteNumbered(key, range, number, rest);
        return key;
    }

    static void WriteNumbered(Span<byte> output, byte range, ushort number, ReadOnlySpan<byte> rest)
    {
        output[0] = range;
        BinaryPrimitives.WriteUInt16BigEndian(output[1..], number);
        rest.CopyTo(output[3..]);
    }

    static byte[] Concat(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second)
    {
        var joined = new byte[first.Length + second.Length];
        first.CopyTo(joined);
        second.CopyTo(joined.AsSpan(first.Length));
        return joined;
    }
}
