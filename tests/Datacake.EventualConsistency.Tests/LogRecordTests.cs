using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;

namespace Datacake.EventualConsistency.Tests;

/// <summary>How the log keeps which documents a transaction touched.</summary>
public sealed class LogRecordTests
{
    static readonly HlcTimestamp Stamp = new(1 << 8);

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 12)]
    [InlineData(15, 243)]
    [InlineData(16, 255)]
    [InlineData(70_000, 256)]
    public void A_log_record_is_read_as_it_was_written(int keys, int keyLength)
    {
        var record = new LogRecord(Stamp, [.. Enumerable.Range(0, keys).Select(number => KeyOf(number, keyLength))], MayPurge: false);
        Assert.Equal(LogRecord.LengthOf(record.DocumentKeys), record.Encode().Length);
        AssertSame(record, LogRecord.Decode(Stamp, record.Encode()));
        AssertSame(record with { MayPurge = true }, LogRecord.Decode(Stamp, (record with { MayPurge = true }).Encode()));
    }

    [Fact]
    public void A_log_record_can_be_made_to_say_that_it_may_purge()
    {
        byte[] encoded = new LogRecord(Stamp, [KeyOf(1, 9)], MayPurge: false).Encode();
        Assert.False(LogRecord.SaysMayPurge(encoded));
        LogRecord.SetMayPurge(encoded);
        Assert.True(LogRecord.SaysMayPurge(encoded));
        AssertSame(new LogRecord(Stamp, [KeyOf(1, 9)], MayPurge: true), LogRecord.Decode(Stamp, encoded));
    }

    static ReadOnlyMemory<byte> KeyOf(int number, int length)
    {
        var key = new byte[length];
        key[^1] = (byte)number;
        return key;
    }

    static void AssertSame(LogRecord expected, LogRecord actual)
    {
        Assert.Equal((expected.Stamp, expected.MayPurge), (actual.Stamp, actual.MayPurge));
        Assert.Equal(expected.DocumentKeys.Select(key => Convert.ToHexString(key.Span)), actual.DocumentKeys.Select(key => Convert.ToHexString(key.Span)));
    }
}
