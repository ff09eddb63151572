using Datacake.EventualConsistency.Integrity;
using Datacake.Simulation.Histories;
using Datacake.Storage;

namespace Datacake.Simulation.Machines;

/// <summary>
/// The disk of a machine: an ordered array that each commit replaces. The disk remembers the unflushed commits, and a power loss takes any
/// number of the latest ones. The disk can refuse a commit. A snapshot returns memory that is overwritten when the snapshot is disposed.
/// </summary>
/// <param name="pageSize">The greatest number of entries in a page of a scan; small, so that a few entries exercise paging.</param>
/// <param name="flaws">The flaws of the machine, some of which are those of its disk.</param>
sealed class SimulatedDisk(int pageSize, MachineFlaws flaws) : IStorage
{
    const int MaxUnflushed = 12;

    // The last flushed state, then one for each later commit.
    readonly List<(StorageEntry[] Entries, Holdings Held)> _states = [([], Holdings.None)];

    public string Description => "simulated disk";

    public StorageEntry[] Entries => _states[^1].Entries;

    /// <summary>Gets the number of latest commits that a power loss may take.</summary>
    public int UnflushedCount => _states.Count - 1;

    /// <summary>True if the next commit fails.</summary>
    public bool IsFailing { get; set; }

    /// <summary>True if the disk accepts only batches that make room.</summary>
    public bool IsFull { get; set; }

    /// <summary>The number of commits that were stored.</summary>
    public int Commits { get; private set; }

    /// <summary>True if a commit that fails is stored nevertheless.</summary>
    public bool FailsLate { get; set; }

    public ValueTask<IStorageSnapshot> OpenSnapshotAsync(CancellationToken cancellationToken = default) =>
        new(new Snapshot(Entries, pageSize));

    public ValueTask CommitAsync(WriteBatch batch, Durability durability, CancellationToken cancellationToken = default)
    {
        bool isFailing = IsFailing;
        IsFailing = false;
        if (isFailing && !FailsLate)
            throw new StorageException(StorageError.Full, "The simulated disk is full.");
        if (IsFull && !batch.MayUseReserve)
            throw new StorageException(StorageError.Full, "The simulated disk accepts only batches that make room.");
        Commits++;
        if (flaws.TearsCommits && batch.Count > 1)
            _states.Add((Apply(batch.Operations[..^1]), _states[^1].Held));
        _states.Add((Apply(batch.Operations), _states[^1].Held));
        if (durability == Durability.Flushed && !flaws.NeverFlushes)
            Flush();
        else if (_states.Count > MaxUnflushed)
            _states.RemoveAt(0);
        return isFailing ? throw new StorageException(StorageError.Failed, "The simulated disk does not tell whether it stored the batch.")
            : ValueTask.CompletedTask;
    }

    /// <summary>Records the transactions that the states of the last commits really have.</summary>
    public void Note(Holdings held, int commits = 1)
    {
        for (int i = Math.Max(0, _states.Count - commits); i < _states.Count; i++)
            _states[i] = _states[i] with { Held = held };
    }

    /// <summary>Combines the last commits into one: a power loss takes all of them or none.</summary>
    public void Join(int commits)
    {
        for (; commits > 1 && _states.Count > 1; commits--)
            _states.RemoveAt(_states.Count - 2);
    }

    public void Flush() => _states.RemoveRange(0, _states.Count - 1);

    /// <summary>Replaces all contents.</summary>
    public void PutBack(StorageEntry[] entries, Holdings held)
    {
        _states.Clear();
        _states.Add((entries, held));
    }

    /// <summary>Removes the latest commits. Returns the transactions that remain.</summary>
    public Holdings LosePower(int lostCommits)
    {
        _states.RemoveRange(_states.Count - lostCommits, lostCommits);
        Flush();
        return _states[0].Held;
    }

    /// <summary>Returns the value of a key, without its checksum.</summary>
    public ReadOnlyMemory<byte>? Get(ReadOnlySpan<byte> key) =>
        Find(Entries, key) is var at and >= 0 ? Entries[at].Value[..^RecordChecksum.Length] : (ReadOnlyMemory<byte>?)null;

    /// <summary>Returns the entries of a range, without their checksums.</summary>
    public IReadOnlyList<StorageEntry> Range(KeyRange range)
    {
        int start = LowerBound(Entries, range.Start.Span);
        int end = range.End is { } bound ? LowerBound(Entries, bound.Span) : Entries.Length;
        var entries = new StorageEntry[Math.Max(end - start, 0)];
        for (int i = 0; i < entries.Length; i++)
            entries[i] = new StorageEntry(Entries[start + i].Key, Entries[start + i].Value[..^RecordChecksum.Length]);
        return entries;
    }

    /// <summary>Returns true if a record differs from what was written.</summary>
    public bool IsDamaged(ReadOnlySpan<byte> key) =>
        Find(Entries, key) is var at and >= 0 && !RecordChecksum.IsRight(key, Entries[at].Value.Span);

    /// <summary>Flips a bit of a record, including in the states that a power loss would leave.</summary>
    public void Flip(ReadOnlyMemory<byte> key, int chance)
    {
        for (int i = 0; i < _states.Count; i++)
        {
            var entries = _states[i].Entries;
            if (Find(entries, key.Span) is not (var at and >= 0))
                continue;
            byte[] value = entries[at].Value.ToArray();
            value[chance / 8 % (value.Length - (flaws.HidesDamage ? RecordChecksum.Length : 0))] ^= (byte)(1 << (chance % 8));
            StorageEntry[] changed = [.. entries];
            if (flaws.HidesDamage)
                RecordChecksum.Write(key.Span, value.AsSpan()[..^RecordChecksum.Length], value);
            changed[at] = new StorageEntry(entries[at].Key, value);
            _states[i] = _states[i] with { Entries = changed };
        }
    }

    /// <summary>
    /// Flips a bit of a record's key, including in the states that a power loss would leave. Returns the new key, or null if a record with that
    /// key exists.
    /// </summary>
    public ReadOnlyMemory<byte>? FlipKey(ReadOnlyMemory<byte> key, int chance)
    {
        byte[] changedKey = key.ToArray();
        changedKey[^1] ^= (byte)(1 << (chance % 8));
        if (_states.Exists(state => Find(state.Entries, changedKey) >= 0))
            return null;
        for (int i = 0; i < _states.Count; i++)
        {
            var entries = _states[i].Entries;
            if (Find(entries, key.Span) is not (var at and >= 0))
                continue;
            StorageEntry[] changed = [.. entries.Where((_, index) => index != at), new StorageEntry(changedKey, entries[at].Value)];
            Array.Sort(changed, static (a, b) => a.Key.Span.SequenceCompareTo(b.Key.Span));
            _states[i] = _states[i] with { Entries = changed };
        }
        return changedKey;
    }

    /// <summary>Loses a record, including in the states that a power loss would leave.</summary>
    public void Lose(ReadOnlyMemory<byte> key)
    {
        for (int i = 0; i < _states.Count; i++)
            _states[i] = _states[i] with { Entries = [.. _states[i].Entries.Where(entry => !entry.Key.Span.SequenceEqual(key.Span))] };
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    StorageEntry[] Apply(ReadOnlySpan<WriteOperation> changes)
    {
        var operations = new SortedDictionary<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>?>(KeyComparer.Instance);
        foreach (var operation in changes)
            operations[operation.Key] = operation.Value;
        var result = new List<StorageEntry>(Entries.Length + operations.Count);
        int next = 0;
        foreach (var (key, value) in operations)
        {
            int order = -1;
            while (next < Entries.Length && (order = Entries[next].Key.Span.SequenceCompareTo(key.Span)) < 0)
                result.Add(Entries[next++]);
            if (next < Entries.Length && order == 0)
                next++;
            if (value is { } bytes)
                result.Add(new StorageEntry(key.ToArray(), bytes.ToArray()));
        }
        result.AddRange(Entries.AsSpan(next));
        return [.. result];
    }

    static int Find(StorageEntry[] entries, ReadOnlySpan<byte> key)
    {
        int at = LowerBound(entries, key);
        return at < entries.Length && entries[at].Key.Span.SequenceEqual(key) ? at : -1;
    }

    static int LowerBound(StorageEntry[] entries, ReadOnlySpan<byte> key)
    {
        int low = 0, high = entries.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (entries[middle].Key.Span.SequenceCompareTo(key) < 0)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }

    sealed class KeyComparer : IComparer<ReadOnlyMemory<byte>>
    {
        public static readonly KeyComparer Instance = new();

        public int Compare(ReadOnlyMemory<byte> x, ReadOnlyMemory<byte> y) => x.Span.SequenceCompareTo(y.Span);
    }

    sealed class Snapshot(StorageEntry[] entries, int pageSize) : IStorageSnapshot
    {
        readonly List<byte[]> _lent = [];

        public ValueTask<ReadOnlyMemory<byte>?> GetAsync(ReadOnlyMemory<byte> key, CancellationToken cancellationToken = default) =>
            new(Find(entries, key.Span) is var at and >= 0 ? Lend(entries[at].Value) : (ReadOnlyMemory<byte>?)null);

        public ValueTask<IReadOnlyList<StorageEntry>> ScanAsync(
            KeyRange range, ScanDirection direction, int maxEntries, CancellationToken cancellationToken = default)
        {
            int start = LowerBound(entries, range.Start.Span);
            int end = range.End is { } bound ? LowerBound(entries, bound.Span) : entries.Length;
            int count = Math.Max(0, Math.Min(end - start, Math.Min(maxEntries, pageSize)));
            var page = new StorageEntry[count];
            for (int i = 0; i < count; i++)
            {
                var (key, value) = entries[direction == ScanDirection.Forward ? start + i : end - 1 - i];
                page[i] = new StorageEntry(Lend(key), Lend(value));
            }
            return new(page);
        }

        public void Dispose()
        {
            foreach (byte[] bytes in _lent)
                bytes.AsSpan().Fill(0xDD);
            _lent.Clear();
        }

        ReadOnlyMemory<byte> Lend(ReadOnlyMemory<byte> bytes)
        {
            byte[] copy = bytes.ToArray();
            _lent.Add(copy);
            return copy;
        }
    }
}
