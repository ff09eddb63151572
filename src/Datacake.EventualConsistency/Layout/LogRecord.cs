using Datacake.Crdt;

namespace Datacake.EventualConsistency.Layout;

/// <summary>Which documents a transaction touched, as the log keeps it: their storage keys.</summary>
readonly record struct LogRecord(HlcTimestamp Stamp, IReadOnlyList<ReadOnlyMemory<byte>> DocumentKeys)
{
    public byte[] Encode()
    {
        var keys = DocumentKeys;
        return Record.Encode((ref writer) =>
        {
            writer.WriteArrayHeader(keys.Count);
            foreach (var key in keys)
                writer.Write(key.Span);
        });
    }

    public static LogRecord Decode(HlcTimestamp stamp, ReadOnlyMemory<byte> encoded) =>
        Record.Decode(encoded, $"the log record of {stamp}", (ref reader) =>
        {
            var keys = new ReadOnlyMemory<byte>[Record.ReadCount(ref reader)];
            for (int i = 0; i < keys.Length; i++)
                keys[i] = Record.ReadBytes(ref reader);
            return new LogRecord(stamp, keys);
        });
}
