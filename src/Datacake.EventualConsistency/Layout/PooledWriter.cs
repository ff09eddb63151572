using System.Buffers;

namespace Datacake.EventualConsistency.Layout;

/// <summary>A buffer writer that uses memory of the shared pool, and returns it when disposed.</summary>
sealed class PooledWriter : IBufferWriter<byte>, IDisposable
{
    const int FirstLength = 256;

    byte[] _buffer = ArrayPool<byte>.Shared.Rent(FirstLength);
    int _count;

    public ReadOnlySpan<byte> Written => WrittenMemory.Span;

    public ReadOnlyMemory<byte> WrittenMemory => _buffer.AsMemory(0, _count);

    /// <summary>Discards the written bytes, so that the memory can be reused.</summary>
    public void Clear() => _count = 0;

    public void Advance(int count) => _count += count;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _buffer.AsMemory(_count);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _buffer.AsSpan(_count);
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_buffer);
        (_buffer, _count) = ([], 0);
    }

    void Reserve(int sizeHint)
    {
        int needed = checked(_count + Math.Max(sizeHint, 1));
        if (needed <= _buffer.Length)
            return;
        byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(needed, 2 * _buffer.Length));
        Written.CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }
}
