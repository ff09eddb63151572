namespace Datacake.EventualConsistency.Layout;

/// <summary>
/// A pool of memory for the small keys and records of a batch or a message. It is cut from blocks that the next batch reuses: separate
/// allocations were a sixth of everything that a put allocated. Not thread-safe.
/// </summary>
/// <param name="expectedLength">The approximate number of bytes that are taken in total. Blocks are smaller if that is enough.</param>
sealed class BatchMemory(long expectedLength = BatchMemory.MaxBlockLength)
{
    const int MaxBlockLength = 64 * 1024;   // below the runtime's threshold for large objects
    const int FirstBlockLength = 4 * 1024;  // enough for the batches of a store that is hardly written to, of which a node may hold a thousand
    const int MaxKeptBlocks = 16;

    readonly int _blockLength = (int)Math.Min(expectedLength, MaxBlockLength);
    readonly List<byte[]> _blocks = [];
    int _current = -1;
    int _used;

    /// <summary>Returns memory with arbitrary contents, which belongs to the caller until <see cref="Reset"/>.</summary>
    public Memory<byte> Take(int length)
    {
        if (length > _blockLength / 8)
            return new byte[length];
        while (_current < 0 || length > _blocks[_current].Length - _used)
        {
            if (++_current == _blocks.Count)
                _blocks.Add(GC.AllocateUninitializedArray<byte>(_current == 0 ? Math.Min(_blockLength, FirstBlockLength) : _blockLength));
            _used = 0;
        }
        var taken = _blocks[_current].AsMemory(_used, length);
        _used += length;
        return taken;
    }

    /// <summary>Returns a copy, in memory from <see cref="Take"/>.</summary>
    public ReadOnlyMemory<byte> Copy(ReadOnlySpan<byte> bytes)
    {
        var copy = Take(bytes.Length);
        bytes.CopyTo(copy.Span);
        return copy;
    }

    /// <summary>Takes back all memory that was handed out.</summary>
    public void Reset()
    {
        if (_blocks.Count > MaxKeptBlocks)
            _blocks.RemoveRange(MaxKeptBlocks, _blocks.Count - MaxKeptBlocks);
        _current = -1;
    }
}
