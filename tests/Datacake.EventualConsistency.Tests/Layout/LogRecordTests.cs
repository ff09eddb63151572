using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;

namespace Datacake.EventualConsistency.Tests.Layout;

/// <summary>Log records, which hold the keys of the documents that transactions touched.</summary>
public sealed class LogRecordTests
{
    static readonly HlcTimestamp First = new(1 << 8 | 1);

    [Theory]
    [InlineData(1, 0, 1)]
    [InlineData(1, 1, 12)]
    [InlineData(3, 15, 243)]
    [InlineData(2, 16, 255)]
    [InlineData(1, 70_000, 256)]
    [InlineData(200, 1, 11)]
    public void A_log_record_is_read_as_it_was_written(int transactions, int keys, int keyLength)
    {
        var record = new LogRecord(MayPurge: false, [.. Enumerable.Range(1, transactions)
            .Select(number => new LogTransaction(StampOf(number), [.. Enumerable.Range(0, keys).Select(key => KeyOf(key, keyLength))]))]);
        AssertSame(record, LogRecord.Decode(First, record.Encode()));
        AssertSame(record with { MayPurge = true }, LogRecord.Decode(First, (record with { MayPurge = true }).Encode()));
    }

    [Fact]
    public void Log_record_can_be_marked_as_allowed_to_purge()
    {
        byte[] encoded = new LogRecord(MayPurge: false, [new LogTransaction(First, [KeyOf(1, 9)])]).Encode();
        Assert.False(LogRecord.SaysMayPurge(encoded));
        LogRecord.SetMayPurge(encoded);
        Assert.True(LogRecord.SaysMayPurge(encoded));
        AssertSame(new LogRecord(MayPurge: true, [new LogTransaction(First, [KeyOf(1, 9)])]), LogRecord.Decode(First, encoded));
    }

    [Fact]
    public void A_damaged_log_record_is_refused()
    {
        byte[] encoded = new LogRecord(MayPurge: false, [new LogTransaction(First, [KeyOf(1, 9)]), new LogTransaction(StampOf(2), [])]).Encode();
        for (int length = 0; length < encoded.Length; length++)
            Assert.Throws<InvalidDataException>(() => LogRecord.Decode(First, encoded.AsMemory(0, length)));
        Assert.Throws<InvalidDataException>(() => LogRecord.Decode(StampOf(2), encoded));
        Assert.Throws<InvalidDataException>(() => LogRecord.StampsOf(StampOf(3), encoded));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 3, 2)]
    [InlineData(1, 2, 2)]
    public void Log_record_whose_stamps_do_not_ascend_is_refused(params int[] stamps)
    {
        // The last stamp is the greatest, so that only the order in between is wrong.
        int[] numbers = [.. stamps, 4];
        byte[] encoded = new LogRecord(MayPurge: false, [.. numbers.Select(number => new LogTransaction(StampOf(number), []))]).Encode();
        Assert.Contains("cannot follow", Assert.Throws<InvalidDataException>(() => LogRecord.Decode(First, encoded)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Log_record_with_transactions_of_two_nodes_is_refused()
    {
        var ofOther = new HlcTimestamp((2 << 8) | 7);
        byte[] encoded = new LogRecord(MayPurge: false, [new(First, []), new(ofOther, []), new(StampOf(3), [])]).Encode();
        Assert.Throws<InvalidDataException>(() => LogRecord.Decode(First, encoded));
    }

    static HlcTimestamp StampOf(int number) => new((ulong)number << 8 | 1);

    static ReadOnlyMemory<byte> KeyOf(int number, int length)
    {
        var key = new byte[length];
        key[^1] = (byte)number;
        return key;
    }

    static void AssertSame(LogRecord expected, LogRecord actual)
    {
        Assert.Equal((expected.First, expected.Last, expected.MayPurge), (actual.First, actual.Last, actual.MayPurge));
        Assert.Equal(expected.Transactions.Select(Describe), actual.Transactions.Select(Describe));

        static string Describe(LogTransaction transaction) =>
            $"{transaction.Stamp}: {string.Join(' ', transaction.DocumentKeys.Select(key => Convert.ToHexString(key.Span)))}";
    }
}
