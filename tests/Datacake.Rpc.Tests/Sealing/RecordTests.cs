using Datacake.Rpc.Sealing;

namespace Datacake.Rpc.Tests.Sealing;

public sealed class RecordTests
{
    const int ContentsSize = 40;

    static readonly byte[] Secret = [.. Enumerable.Range(0, 32).Select(n => (byte)n)];

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Written_bytes_are_read_whatever_the_sizes_of_their_pieces()
    {
        var random = new Random(1);
        for (var round = 0; round < 50; round++)
        {
            var recordsOfKey = random.Next(1, 20);
            using var wire = new MemoryStream();
            await using var sending = new SealedStream(wire, new RecordCipher(Secret, recordsOfKey), new RecordCipher(Secret));
            var sent = new MemoryStream();
            while (sent.Length < 300_000)
            {
                var part = new byte[random.Next(4) == 0 ? random.Next(1, 100_000) : random.Next(1, 300)];
                random.NextBytes(part);
                sent.Write(part);
                await sending.WriteAsync(part, Stop);
            }

            await using var receiving = new SealedStream(
                new SlowStream(wire.ToArray(), random), new RecordCipher(Secret), new RecordCipher(Secret, recordsOfKey));
            var received = new byte[sent.Length];
            var count = 0;
            while (count < received.Length)
            {
                var read = await receiving.ReadAsync(received.AsMemory(count, Math.Min(random.Next(1, 40_000), received.Length - count)), Stop);
                Assert.NotEqual(0, read);
                count += read;
            }

            Assert.Equal(sent.ToArray(), received);
            Assert.Equal(0, await receiving.ReadAsync(new byte[1], Stop));
        }
    }

    [Fact]
    public void Contents_are_not_visible_in_a_record()
    {
        using var cipher = new RecordCipher(Secret);
        var record = new byte[100 + RecordCipher.Overhead];
        var size = cipher.Seal(new byte[100], record);
        Assert.Equal(record.Length, size);
        Assert.True(record.AsSpan(RecordCipher.HeaderSize).Count((byte)0) < 20);
    }

    [Fact]
    public void Record_with_any_changed_byte_does_not_open()
    {
        var record = Seal(1)[0];
        for (var bit = 8 * RecordCipher.HeaderSize; bit < 8 * record.Length; bit++)
        {
            var changed = (byte[])record.Clone();
            changed[bit / 8] ^= (byte)(1 << (bit % 8));
            using var cipher = new RecordCipher(Secret);
            Assert.Throws<BrokenSealException>(() => cipher.Open(changed, new byte[ContentsSize]));
        }
    }

    [Fact]
    public void Missing_repeated_or_moved_record_does_not_open()
    {
        var records = Seal(3);
        Refuses(records[1]);                    // The first is missing.
        Refuses(records[0], records[0]);        // Repeated.
        Refuses(records[0], records[2]);        // Moved.
        using var cipher = new RecordCipher(Secret);
        foreach (var record in records)
            cipher.Open(record, new byte[ContentsSize]);

        static void Refuses(params byte[][] records)
        {
            using var cipher = new RecordCipher(Secret);
            foreach (var record in records[..^1])
                cipher.Open(record, new byte[ContentsSize]);
            Assert.Throws<BrokenSealException>(() => cipher.Open(records[^1], new byte[ContentsSize]));
        }
    }

    [Fact]
    public void Each_key_seals_a_limited_number_of_records_before_the_next_key_follows()
    {
        using var often = new RecordCipher(Secret, recordsOfKey: 1);
        using var seldom = new RecordCipher(Secret, recordsOfKey: 3);
        var (first, second) = (new byte[ContentsSize + RecordCipher.Overhead], new byte[ContentsSize + RecordCipher.Overhead]);
        often.Seal(new byte[ContentsSize], first);
        seldom.Seal(new byte[ContentsSize], second);
        Assert.Equal(first, second);
        often.Seal(new byte[ContentsSize], first);
        seldom.Seal(new byte[ContentsSize], second);
        Assert.NotEqual(first, second);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(RecordCipher.MaxContents + 1)]
    [InlineData(ushort.MaxValue)]
    public void Impossible_record_length_is_refused_before_anything_is_read(int length) =>
        Assert.Throws<BrokenSealException>(() => RecordCipher.ReadLength([(byte)length, (byte)(length >> 8)]));

    static byte[][] Seal(int count)
    {
        using var cipher = new RecordCipher(Secret);
        var records = new byte[count][];
        for (var i = 0; i < count; i++)
        {
            records[i] = new byte[ContentsSize + RecordCipher.Overhead];
            cipher.Seal(new byte[ContentsSize], records[i]);
        }

        return records;
    }

    /// <summary>A stream that returns its bytes in pieces of random size.</summary>
    sealed class SlowStream(byte[] bytes, Random random) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(buffer.Length, random.Next(1, 20_000))], cancellationToken);
    }
}
