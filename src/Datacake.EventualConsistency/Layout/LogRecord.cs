using System.Buffers.Binary;
using Datacake.Crdt;
using MessagePack;

namespace Datacake.EventualConsistency.Layout;

/// <summary>Which documents a transaction touched, as the log keeps it.</summary>
/// <param name="Stamp">The transaction's stamp.</param>
/// <param name="DocumentKeys">The storage keys of the documents.</param>
/// <param name="MayPurge">
/// Whether the documents have to be looked at when the record is truncated, since something of them may become purgeable by it. Of most transactions, which
/// only put documents, nothing ever does: their documents need not be read again.
/// </param>
/// <remarks>
/// Stored as a truth value and an array of the keys, in MessagePack, written by hand, for it is written with every transaction.
/// </remarks>
readonly record struct LogRecord(HlcTimestamp Stamp, ReadOnlyMemory<byte>[] DocumentKeys, bool MayPurge = true)
{
    public byte[] Encode()
    {
        var encoded = new byte[LengthOf(DocumentKeys)];
        Write(encoded, DocumentKeys, MayPurge);
        return encoded;
    }

    /// <summary>The length of a record of these keys.</summary>
    public static int LengthOf(ReadOnlySpan<ReadOnlyMemory<byte>> keys)
    {
        int length = 1 + (keys.Length <= MessagePackRange.MaxFixArrayCount ? 1 : 5);
        foreach (var key in keys)
            length += (key.Length <= byte.MaxValue ? 2 : 3) + key.Length;
        return length;
    }

    /// <summary>Writes a record into memory of just its length.</summary>
    public static void Write(Span<byte> output, ReadOnlySpan<ReadOnlyMemory<byte>> keys, bool mayPurge)
    {
        output[0] = mayPurge ? MessagePackCode.True : MessagePackCode.False;
        if (keys.Length <= MessagePackRange.MaxFixArrayCount)
        {
            output[1] = (byte)(MessagePackCode.MinFixArray | keys.Length);
            output = output[2..];
        }
        else
        {
            output[1] = MessagePackCode.Array32;
            BinaryPrimitives.WriteInt32BigEndian(output[2..], keys.Length);
            output = output[6..];
        }
        foreach (var key in keys)
        {
            int header = key.Length <= byte.MaxValue ? 2 : 3;
            output[0] = header == 2 ? MessagePackCode.Bin8 : MessagePackCode.Bin16;
            if (header == 2)
                output[1] = (byte)key.Length;
            else
                BinaryPrimitives.WriteUInt16BigEndian(output[1..], checked((ushort)key.Length));
            key.Span.CopyTo(output[header..]);
            output = output[(header + key.Length)..];
        }
    }

    /// <summary>Whether an encoded record says <see cref="MayPurge"/>.</summary>
    public static bool SaysMayPurge(ReadOnlySpan<byte> encoded) => encoded.IsEmpty || encoded[0] != MessagePackCode.False;

    /// <summary>Makes an encoded record say <see cref="MayPurge"/>.</summary>
    public static void SetMayPurge(Span<byte> encoded) => encoded[0] = MessagePackCode.True;

    public static LogRecord Decode(HlcTimestamp stamp, ReadOnlyMemory<byte> encoded)
    {
        try
        {
            return Record.Decode(encoded, "a log record", (ref reader) =>
            {
                bool mayPurge = reader.ReadBoolean();
                var keys = new ReadOnlyMemory<byte>[Record.ReadCount(ref reader)];
                for (int i = 0; i < keys.Length; i++)
                    keys[i] = Record.ReadBytes(ref reader);
                return new LogRecord(stamp, keys, mayPurge);
            });
        }
        catch (InvalidDataException e)
        {
            // Named only here, for records are many.
            throw new InvalidDataException($"The log record of {stamp} cannot be read. {e.Message}", e);
        }
    }
}
