using System.Text;

namespace Datacake.Storage.Tests;

public sealed class WriteBatchTests
{
    [Fact]
    public void A_batch_holds_its_operations_in_order()
    {
        var batch = new WriteBatch();
        batch.Put("a"u8.ToArray(), "1"u8.ToArray());
        batch.Delete("b"u8.ToArray());
        batch.Put("c"u8.ToArray(), default);
        Assert.Equal(3, batch.Count);
        Assert.Equal([false, true, false], batch.Operations.ToArray().Select(operation => operation.Value is null));
        Assert.Equal(["a", "b", "c"], batch.Operations.ToArray().Select(operation => Encoding.UTF8.GetString(operation.Key.Span)));
    }

    [Fact]
    public void A_cleared_batch_is_empty()
    {
        var batch = new WriteBatch();
        batch.Put("a"u8.ToArray(), default);
        batch.Clear();
        Assert.Equal(0, batch.Count);
        Assert.True(batch.Operations.IsEmpty);
    }

    [Theory]
    [InlineData(10)]
    [InlineData(5_000)]
    public void Operations_in_the_best_order_have_the_same_result(int count)
    {
        var random = new Random(count);
        var batch = new WriteBatch();
        for (int i = 0; i < count; i++)
        {
            // Few keys, of which some begin with others, so that most have several operations.
            byte[] key = new byte[random.Next(16)];
            for (int at = 0; at < key.Length; at++)
                key[at] = (byte)(at < 10 ? 0 : random.Next(2));
            if (random.Next(4) == 0)
                batch.Delete(key);
            else
                batch.Put(key, BitConverter.GetBytes(i));
        }
        var expected = new Dictionary<string, int?>();
        foreach (var operation in batch.Operations)
            expected[Convert.ToHexString(operation.Key.Span)] = ValueOf(operation);
        var actual = new Dictionary<string, int?>();
        var keys = new List<string>();
        using var ordered = batch.InBestOrder();
        for (int i = 0; i < ordered.Count; i++)
        {
            keys.Add(Convert.ToHexString(ordered[i].Key.Span));
            actual[keys[^1]] = ValueOf(ordered[i]);
        }
        Assert.Equal(count, keys.Count);
        Assert.Equal(expected.OrderBy(entry => entry.Key), actual.OrderBy(entry => entry.Key));
        if (count >= OrderedOperations.MinCountToSort)
            Assert.Equal(keys.Order(StringComparer.Ordinal), keys);

        static int? ValueOf(in WriteOperation operation) => operation.Value is { } value ? BitConverter.ToInt32(value.Span) : null;
    }

    [Fact]
    public void A_value_that_is_too_long_is_refused()
    {
        // The memory is never allocated: only its length is read.
        using var huge = new UnbackedMemory(WriteBatch.MaxValueLength + 1);
        var batch = new WriteBatch();
        ArgumentException refusal = Assert.Throws<ArgumentException>(() => batch.Put(default, huge.Memory));
        Assert.Contains($"{WriteBatch.MaxValueLength}", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(0, batch.Count);
    }

    sealed class UnbackedMemory(int length) : System.Buffers.MemoryManager<byte>
    {
        public override Memory<byte> Memory => CreateMemory(length);

        public override Span<byte> GetSpan() => throw new NotSupportedException();

        public override System.Buffers.MemoryHandle Pin(int elementIndex = 0) => throw new NotSupportedException();

        public override void Unpin() { }

        protected override void Dispose(bool disposing) { }
    }
}
