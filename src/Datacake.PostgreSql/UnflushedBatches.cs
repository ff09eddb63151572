namespace Datacake.PostgreSql;

/// <summary>
/// Copies of the buffered batches that may not be on the disk of the server yet. A server that crashes loses such batches, but the process that committed them
/// lives on and has acknowledged them, so it commits them again. Not thread-safe.
/// </summary>
sealed class UnflushedBatches
{
    // The server flushes its log at least every 0.6 seconds (three times wal_writer_delay), so that there is rarely this much.
    const long MaxBytes = 16 * 1024 * 1024;

    readonly Queue<Batch> _batches = [];
    Batch? _last;
    long _bytes;

    /// <summary>Gets whether the next commit should flush the log, to limit the memory.</summary>
    public bool IsFull => _bytes >= MaxBytes;

    /// <summary>Adds a committed batch.</summary>
    public void Add(long number, Changes changes)
    {
        _last = new Batch(number, changes);
        _batches.Enqueue(_last);
        _bytes += changes.Bytes;
    }

    /// <summary>Notes the positions of the server's log as of a later moment: its end, which is after all batches here, and the end of what is on the disk.</summary>
    public void Note(long end, long flushed)
    {
        if (_last is not null)
            _last.End ??= end;
        while (_batches.TryPeek(out Batch? first) && first.End <= flushed)
        {
            _bytes -= first.Changes.Bytes;
            _batches.Dequeue();
        }
    }

    /// <summary>Removes all batches, because the log is on the disk.</summary>
    public void Clear()
    {
        _batches.Clear();
        _last = null;
        _bytes = 0;
    }

    /// <summary>Returns the changes of all batches after a number, in their order, or null if the first of them are not here.</summary>
    public IReadOnlyList<Changes>? After(long number)
    {
        Changes[] changes = [.. _batches.Where(batch => batch.Number > number).Select(batch => batch.Changes)];
        return _batches.TryPeek(out Batch? first) && first.Number <= number + 1 ? changes : null;
    }

    sealed class Batch(long number, Changes changes)
    {
        public long Number => number;

        public Changes Changes => changes;

        /// <summary>A position of the log at or after the end of the batch, or null if none is known yet.</summary>
        public long? End { get; set; }
    }
}
