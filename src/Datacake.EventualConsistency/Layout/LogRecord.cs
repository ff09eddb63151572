using System.Buffers.Binary;
using Datacake.Crdt;
using MessagePack;

namespace Datacake.EventualConsistency.Layout;

/// <summary>A transaction in the log, with the documents that it touched.</summary>
/// <param name="Stamp">The stamp of the transaction.</param>
/// <param name="DocumentKeys">The storage keys of the documents.</param>
readonly record struct LogTransaction(HlcTimestamp Stamp, ReadOnlyMemory<byte>[] DocumentKeys);

/// <summary>
/// A log record: consecutive transactions of one node. All of its transactions that come with one commit need a single storage entry, which
/// is put once and later deleted as a whole. The storage key contains the stamp of the first transaction.
/// </summary>
/// <param name="MayPurge">
/// True if the documents must be examined when the record is truncated, because something in them may become purgeable. Most transactions
/// only put documents, and nothing of those ever becomes purgeable, so their documents need not be read again.
/// </param>
/// <param name="Transactions">The transactions, at least one, in ascending order.</param>
/// <remarks>
/// The format is MessagePack: a Boolean, the last stamp, and for each transaction its stamp and an array of its keys. The code that writes
/// it is handwritten, because it runs for every transaction. See PROTOCOL.md: log.
/// </remarks>
readonly record struct LogRecord(bool MayPurge, LogTransaction[] Transactions)
{
    /// <summary>
    /// The maximum length of a record with several transactions, in bytes. Short records are cheap to read and to change.
    /// </summary>
    public const int MaxLength = 4 * 1024;

    /// <summary>
    /// The maximum distance from the first to the last transaction, in packed stamps: 64 ms. A search for a stamp therefore knows how far
    /// below the stamp to start, and commits that are frequent enough to share a record are usually only a few milliseconds apart.
    /// </summary>
    public const ulong MaxSpan = 16UL << 24;

    /// <summary>The length of the header, which precedes the transactions.</summary>
    public const int HeaderLength = 1 + StampLength;

    const int StampLength = 1 + HlcTimestamp.Size;

    public HlcTimestamp First => Transactions[0].Stamp;

    public HlcTimestamp Last => Transactions[^1].Stamp;

    public byte[] Encode()
    {
        var encoded = new byte[HeaderLength + Transactions.Sum(transaction => LengthOf(transaction.DocumentKeys))];
        WriteHeader(encoded, Last, MayPurge);
        int start = HeaderLength;
        foreach (var (stamp, keys) in Transactions)
            start += Write(encoded.AsSpan(start), stamp, keys);
        return encoded;
    }

    /// <summary>Returns the encoded length of a transaction with these keys.</summary>
    public static int LengthOf(ReadOnlySpan<ReadOnlyMemory<byte>> keys)
    {
        int length = StampLength + (keys.Length <= MessagePackRange.MaxFixArrayCount ? 1 : 5);
        foreach (var key in keys)
            length += (key.Length <= byte.MaxValue ? 2 : 3) + key.Length;
        return length;
    }

    /// <summary>Writes the header, which precedes the transactions.</summary>
    public static void WriteHeader(Span<byte> output, HlcTimestamp last, bool mayPurge)
    {
        output[0] = mayPurge ? MessagePackCode.True : MessagePackCode.False;
        WriteStamp(output[1..], last);
    }

    /// <summary>Writes a transaction, and returns its encoded length.</summary>
    public static int Write(Span<byte> output, HlcTimestamp stamp, ReadOnlySpan<ReadOnlyMemory<byte>> keys)
    {
        var rest = output;
        WriteStamp(rest, stamp);
        rest = rest[StampLength..];
        if (keys.Length <= MessagePackRange.MaxFixArrayCount)
        {
            rest[0] = (byte)(MessagePackCode.MinFixArray | keys.Length);
            rest = rest[1..];
        }
        else
        {
            rest[0] = MessagePackCode.Array32;
            BinaryPrimitives.WriteInt32BigEndian(rest[1..], keys.Length);
            rest = rest[5..];
        }
        foreach (var key in keys)
        {
            int header = key.Length <= byte.MaxValue ? 2 : 3;
            rest[0] = header == 2 ? MessagePackCode.Bin8 : MessagePackCode.Bin16;
            if (header == 2)
                rest[1] = (byte)key.Length;
            else
                BinaryPrimitives.WriteUInt16BigEndian(rest[1..], checked((ushort)key.Length));
            key.Span.CopyTo(rest[header..]);
            rest = rest[(header + key.Length)..];
        }
        return output.Length - rest.Length;
    }

    /// <summary>Returns the value of <see cref="MayPurge"/> in an encoded record.</summary>
    public static bool SaysMayPurge(ReadOnlySpan<byte> encoded) => encoded.IsEmpty || encoded[0] != MessagePackCode.False;

    /// <summary>Sets <see cref="MayPurge"/> in an encoded record.</summary>
    public static void SetMayPurge(Span<byte> encoded) => encoded[0] = MessagePackCode.True;

    /// <summary>Returns the stamps of an encoded record, from its first transaction to its last.</summary>
    /// <exception cref="InvalidDataException">The bytes are not a valid log record.</exception>
    public static StampInterval StampsOf(HlcTimestamp first, ReadOnlySpan<byte> encoded)
    {
        if (encoded.Length <= HeaderLength || encoded[1] != MessagePackCode.UInt64)
            throw Damaged(first, "The record is too short, or has no last stamp.");
        var last = HlcTimestamp.Read(encoded[2..]);
        return last >= first && last.Node == first.Node
            ? new StampInterval(new HlcTimestamp(first.Packed - 1), last)
            : throw Damaged(first, $"The last stamp is {last}.");
    }

    public static LogRecord Decode(HlcTimestamp first, ReadOnlyMemory<byte> encoded)
    {
        try
        {
            // One copy of the record, and keys that are views of it: the record may outlive the snapshot and its memory.
            var record = Record.Decode(encoded.ToArray(), "a log record", static (ref reader) =>
            {
                bool mayPurge = reader.ReadBoolean();
                _ = Record.ReadStamp(ref reader);
                var transactions = new List<LogTransaction>();
                do
                    transactions.Add(ReadTransaction(ref reader, transactions.Count == 0 ? null : transactions[^1].Stamp));
                while (!reader.End);
                return new LogRecord(mayPurge, [.. transactions]);
            });
            return record.First == first && record.Last == StampsOf(first, encoded.Span).High
                ? record
                : throw new InvalidDataException($"The transactions range from {record.First} to {record.Last}.");
        }
        catch (InvalidDataException e)
        {
            // The record is named only here, because formatting its name for each of the many records would be slow.
            throw Damaged(first, e.Message, e);
        }
    }

    static LogTransaction ReadTransaction(ref MessagePackReader reader, HlcTimestamp? previous)
    {
        var stamp = Record.ReadStamp(ref reader);
        if (previous is { } before && (stamp <= before || stamp.Node != before.Node))
            throw new InvalidDataException($"The transaction {stamp} cannot follow {before}.");
        var keys = new ReadOnlyMemory<byte>[Record.ReadCount(ref reader)];
        for (int i = 0; i < keys.Length; i++)
            keys[i] = Record.ReadView(ref reader);
        return new LogTransaction(stamp, keys);
    }

    static void WriteStamp(Span<byte> output, HlcTimestamp stamp)
    {
        output[0] = MessagePackCode.UInt64;
        stamp.Write(output[1..]);
    }

    static InvalidDataException Damaged(HlcTimestamp first, string reason, Exception? inner = null) =>
        new($"The log record of {first} cannot be read. {reason}", inner);
}
