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
