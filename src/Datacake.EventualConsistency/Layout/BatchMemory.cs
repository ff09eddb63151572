namespace Datacake.EventualConsistency.Layout;

/// <summary>
/// Memory for the small keys and records of a batch or a message, cut from blocks that the next batch uses again: one by one they were a sixth of what a
/// put allocated. Not thread-safe.
/// </summary>
/// <param name="expectedLength">About how many bytes are taken in all: less than a block if that suffices.</param>
sealed class BatchMemory(long expectedLength = BatchMemory.MaxBlockLength)
{
    const int MaxBlockLength = 64 * 1024;   // below what the runtime counts as a large object
    const int MaxKeptBlocks = 16;

    readonly int _blockLength = (int)Math.Min(expectedLength, MaxBlockLength);
    readonly List<byte[]> _blocks = [];
    int _current = -1;
    int _used = MaxBlockLength;

    /// <summary>Memory with arbitrary contents, which is the caller's until <see cref="Reset"/>.</summary>
    public Memory<byte> Take(int length)
    {
        if (length > _blockLength / 8)
            return new byte[length];
        if (length > _blockLength - _used)
        {
            if (++_current == _blocks.Count)
                _blocks.Add(GC.AllocateUninitializedArray<byte>(_blockLength));
            _used = 0;
        }
        var taken = _blocks[_current].AsMemory(_used, length);
        _used += length;
        return taken;
    }

    /// <summary>Returns a copy, in memory as of <see cref="Take"/>.</summary>
    public ReadOnlyMemory<byte> Copy(ReadOnlySpan<byte> bytes)
    {
        var copy = Take(bytes.Length);
        bytes.CopyTo(copy.Span);
        return copy;
    }

    /// <summary>Takes back all memory.</summary>
    public void Reset()
    {
        if (_blocks.Count > MaxKeptBlocks)
            _blocks.RemoveRange(MaxKeptBlocks, _blocks.Count - MaxKeptBlocks);
        _current = -1;
        _used = MaxBlockLength;
    }
}
