using System.Buffers.Binary;
using Datacake.Crdt;
using MessagePack;

namespace Datacake.EventualConsistency.Layout;

/// <summary>Which documents a transaction touched.</summary>
/// <param name="Stamp">The transaction's stamp.</param>
/// <param name="DocumentKeys">The storage keys of the documents.</param>
readonly record struct LogTransaction(HlcTimestamp Stamp, ReadOnlyMemory<byte>[] DocumentKeys);

/// <summary>
/// Transactions of one node that follow each other, with none between them: what one commit brings of them is one entry of the storage to put, and later
/// to delete. It goes from the log as a whole. Its key has the stamp of its first transaction.
/// </summary>
/// <param name="MayPurge">
/// Whether the documents have to be looked at when the record is truncated, since something of them may become purgeable by it. Of most transactions, which
/// only put documents, nothing ever does: their documents need not be read again.
/// </param>
/// <param name="Transactions">The transactions, at least one, in ascending order.</param>
/// <remarks>
/// Stored as a truth value, the last stamp, and for each transaction its stamp and an array of its keys, in MessagePack, written by hand, for it is written
/// with every transaction.
/// </remarks>
readonly record struct LogRecord(bool MayPurge, LogTransaction[] Transactions)
{
    /// <summary>A record has several transactions only up to this length in bytes, so that one is read and changed at little cost.</summary>
    public const int MaxLength = 4 * 1024;

    /// <summary>
    /// How far, as packed stamps, the last transaction is above the first at most: 64 ms. So whoever looks for a stamp knows how far below it to begin, and
    /// commits that are close enough together to share a record mostly are within a few milliseconds.
    /// </summary>
    public const ulong MaxSpan = 16UL << 24;

    /// <summary>The length of what comes before the transactions.</summary>
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

    /// <summary>The length of a transaction with these keys.</summary>
    public static int LengthOf(ReadOnlySpan<ReadOnlyMemory<byte>> keys)
    {
        int length = StampLength + (keys.Length <= MessagePackRange.MaxFixArrayCount ? 1 : 5);
        foreach (var key in keys)
            length += (key.Length <= byte.MaxValue ? 2 : 3) + key.Length;
        return length;
    }

    /// <summary>Writes what comes before the transactions.</summary>
    public static void WriteHeader(Span<byte> output, HlcTimestamp last, bool mayPurge)
    {
        output[0] = mayPurge ? MessagePackCode.True : MessagePackCode.False;
        WriteStamp(output[1..], last);
    }

    /// <summary>Writes a transaction, and returns its length.</summary>
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

    /// <summary>Whether an encoded record says <see cref="MayPurge"/>.</summary>
    public static bool SaysMayPurge(ReadOnlySpan<byte> encoded) => encoded.IsEmpty || encoded[0] != MessagePackCode.False;

    /// <summary>Makes an encoded record say <see cref="MayPurge"/>.</summary>
    public static void SetMayPurge(Span<byte> encoded) => encoded[0] = MessagePackCode.True;

    /// <summary>The stamps of an encoded record: from its first transaction to its last.</summary>
    /// <exception cref="InvalidDataException">The bytes are not those of a record.</exception>
    public static StampInterval StampsOf(HlcTimestamp first, ReadOnlySpan<byte> encoded)
    {
        if (encoded.Length <= HeaderLength || encoded[1] != MessagePackCode.UInt64)
            throw Damaged(first, "It is too short.");
        var last = HlcTimestamp.Read(encoded[2..]);
        return last >= first && last.Node == first.Node
            ? new StampInterval(new HlcTimestamp(first.Packed - 1), last)
            : throw Damaged(first, $"It ends at {last}.");
    }

    public static LogRecord Decode(HlcTimestamp first, ReadOnlyMemory<byte> encoded)
    {
        try
        {
            // One copy of all, of which the keys are views: the record may outlive the snapshot and its memory.
            var record = Record.Decode(encoded.ToArray(), "a log record", static (ref reader) =>
            {
                bool mayPurge = reader.ReadBoolean();
                _ = Record.ReadStamp(ref reader);
                var transactions = new List<LogTransaction>();
                do
                    transactions.Add(ReadTransaction(ref reader));
                while (!reader.End);
                return new LogRecord(mayPurge, [.. transactions]);
            });
            return record.First == first && record.Last == StampsOf(first, encoded.Span).High
                ? record
                : throw new InvalidDataException($"Its transactions are those from {record.First} to {record.Last}.");
        }
        catch (InvalidDataException e)
        {
            // Named only here, for records are many.
            throw Damaged(first, e.Message, e);
        }
    }

    static LogTransaction ReadTransaction(ref MessagePackReader reader)
    {
        var stamp = Record.ReadStamp(ref reader);
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
