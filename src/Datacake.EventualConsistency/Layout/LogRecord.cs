using Datacake.Crdt;

namespace Datacake.EventualConsistency.Layout;

/// <summary>Which documents a transaction touched, as the log keeps it: their storage keys.</summary>
readonly record struct LogRecord(HlcTimestamp Stamp, IReadOnlyList<ReadOnlyMemory<byte>> DocumentKeys)
{
    const int MaxHeaderLength = 5;      // of an array or of bytes, in MessagePack

    public byte[] Encode()
    {
        var keys = DocumentKeys;
        int length = MaxHeaderLength;
        for (int i = 0; i < keys.Count; i++)
            length += MaxHeaderLength + keys[i].Length;
        return Record.Encode(
            (ref writer) =>
            {
                writer.WriteArrayHeader(keys.Count);
                for (int i = 0; i < keys.Count; i++)
                    writer.Write(keys[i].Span);
            },
            length);
    }

    public static LogRecord Decode(HlcTimestamp stamp, ReadOnlyMemory<byte> encoded)
    {
        try
        {
            return new LogRecord(stamp, Record.Decode(encoded, "a log record", static (ref reader) =>
            {
                var keys = new ReadOnlyMemory<byte>[Record.ReadCount(ref reader)];
                for (int i = 0; i < keys.Length; i++)
                    keys[i] = Record.ReadBytes(ref reader);
                return keys;
            }));
        }
        catch (InvalidDataException e)
        {
            // Named only here, for records are many.
            throw new InvalidDataException($"The log record of {stamp} cannot be read. {e.Message}", e);
        }
    }
}
