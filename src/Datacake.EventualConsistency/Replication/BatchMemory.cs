namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// Memory for the small keys and records of a batch, cut from blocks that the next batch uses again: one by one they were a sixth of what a put allocated.
/// Not thread-safe.
/// </summary>
sealed class BatchMemory
{
    const int BlockLength = 64 * 1024;      // below what the runtime counts as a large object
    const int MaxKeptBlocks = 16;

    readonly List<byte[]> _blocks = [];
    int _current = -1;
    int _used = BlockLength;

    /// <summary>Memory with arbitrary contents, which is the caller's until <see cref="Reset"/>.</summary>
    public Memory<byte> Take(int length)
    {
        if (length > BlockLength / 8)
            return new byte[length];
        if (length > BlockLength - _used)
        {
            if (++_current == _blocks.Count)
                _blocks.Add(GC.AllocateUninitializedArray<byte>(BlockLength));
            _used = 0;
        }
        var taken = _blocks[_current].AsMemory(_used, length);
        _used += length;
        return taken;
    }

    /// <summary>Takes back all memory.</summary>
    public void Reset()
    {
        if (_blocks.Count > MaxKeptBlocks)
            _blocks.RemoveRange(MaxKeptBlocks, _blocks.Count - MaxKeptBlocks);
        _current = -1;
        _used = BlockLength;
    }
}
