using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Immutable;
using CsCheck;

namespace Datacake.Storage.Tests;

/// <summary>Tests of snapshots while the tree changes in place where no snapshot needs the old nodes.</summary>
public sealed class MemorySnapshotTests
{
    const int Keys = 2_000;

    [Fact]
    public void Each_snapshot_shows_its_own_point_in_time_regardless_of_other_snapshots() =>
        Gen.Int.Sample(
            seed =>
            {
                var random = new Random(seed);
                var storage = new MemoryStorage();
                var model = ImmutableSortedDictionary<int, long>.Empty;
                var open = new List<(IStorageSnapshot Actual, ImmutableSortedDictionary<int, long> Expected)>();
                for (int step = 0; step < 120; step++)
                {
                    switch (random.Next(6))
                    {
                        case 0:
                            open.Add((Open(storage), model));
                            break;
                        case 1 when open.Count > 0:
                            int closed = random.Next(open.Count);
                            open[closed].Actual.Dispose();
                            open.RemoveAt(closed);
                            break;
                        case 2 when open.Count > 0:
                            Check(open[random.Next(open.Count)]);
                            break;
                        default:
                            // Most batches are small; a few are larger than what is worked on in place. Some batches delete most entries.
                            int operations = random.Next(20) == 0 ? 5_000 : random.Next(200);
                            model = Change(storage, model, random, operations, deletes: random.NextDouble());
                            break;
                    }
                }
                open.Add((Open(storage), model));
                open.ForEach(Check);
            },
            iter: 40);

    [Fact]
    public async Task Readers_see_whole_commits_while_others_open_and_dispose_snapshots()
    {
        const int Accounts = 500;
        const long Total = Accounts * 1_000L;
        const int Commits = 4_000;
        await using var storage = new MemoryStorage();
        var batch = new WriteBatch();
        for (int i = 0; i < Accounts; i++)
            batch.Put(Key(i), Number(Total / Accounts));
        Commit(storage, batch);

        var writer = Task.Run(() =>
        {
            var random = new Random(1);
            long[] balances = [.. Enumerable.Repeat(Total / Accounts, Accounts)];
            for (int commit = 0; commit < Commits; commit++)
            {
                // An account with no money has no entry, so that nodes split and join all the time.
                batch.Clear();
                for (int i = 0; i < 30; i++)
                {
                    int from = random.Next(Accounts), to = random.Next(Accounts);
                    long amount = random.Next(3) == 0 ? balances[from] : random.NextInt64(balances[from] + 1);
                    balances[from] -= amount;
                    balances[to] += amount;
                    Set(batch, from, balances[from]);
                    Set(batch, to, balances[to]);
                }
                Commit(storage, batch);
            }
        }, TestContext.Current.CancellationToken);
        var readers = Enumerable.Range(0, 3).Select(reader => Task.Run(() =>
        {
            var random = new Random(reader);
            var held = new Queue<IStorageSnapshot>();
            do
            {
                held.Enqueue(Open(storage));
                foreach (var snapshot in held)
                    Assert.Equal(Total, Scan(snapshot, pageSize: random.Next(1, 200)).Sum(entry => entry.Number));
                while (held.Count > random.Next(4))
                    held.Dequeue().Dispose();
            }
            while (!writer.IsCompleted);
        }, TestContext.Current.CancellationToken));
        await Task.WhenAll([writer, .. readers]);
    }

    [Fact]
    public async Task A_read_during_the_disposal_of_its_snapshot_is_correct_or_throws()
    {
        await using var storage = new MemoryStorage();
        var entries = Change(storage, ImmutableSortedDictionary<int, long>.Empty, new Random(1), operations: 3_000, deletes: 0);
        for (int round = 0; round < 300; round++)
        {
            IStorageSnapshot snapshot = Open(storage);
            var expected = entries;
            var isReading = new TaskCompletionSource();
            var reading = Task.Run(() =>
            {
                IReadOnlyList<StorageEntry> last = [];
                try
                {
                    while (true)
                    {
                        last = Completed(snapshot.ScanAsync(KeyRange.All, ScanDirection.Forward, Keys));
                        isReading.TrySetResult();
                    }
                }
                catch (ObjectDisposedException)
                {
                    return last;
                }
            }, TestContext.Current.CancellationToken);
            (WriteBatch batch, entries) = Prepare(entries, new Random(round), operations: 30, deletes: 0.2);
            await isReading.Task.WaitAsync(TestContext.Current.CancellationToken);
            snapshot.Dispose();
            // Only the read in progress still needs the old version.
            Commit(storage, batch);
            Assert.Equal(expected.Values, (await reading).Select(entry => BinaryPrimitives.ReadInt64BigEndian(entry.Value.Span)));
        }
    }

    [Fact]
    public async Task A_batch_with_disposed_memory_changes_nothing()
    {
        await using var storage = new MemoryStorage();
        var entries = Change(storage, ImmutableSortedDictionary<int, long>.Empty, new Random(1), operations: 100, deletes: 0);
        foreach (bool deletes in new[] { false, true })
        {
            using var memory = new LostMemory { ReadsLeft = int.MaxValue };
            var batch = new WriteBatch();
            batch.Put(Key(1), Number(-1));
            batch.Delete(Key(2));
            if (deletes)
                batch.Delete(memory.Memory);
            else
                batch.Put(Key(3), memory.Memory);
            memory.ReadsLeft = 0;
            Assert.Throws<ObjectDisposedException>(() => Commit(storage, batch));
        }
        using IStorageSnapshot snapshot = Open(storage);
        Check((snapshot, entries));
    }

    [Fact]
    public async Task A_store_that_failed_during_a_commit_throws_and_its_open_snapshots_do_not_change()
    {
        await using var storage = new MemoryStorage();
        var entries = Change(storage, ImmutableSortedDictionary<int, long>.Empty, new Random(1), operations: 100, deletes: 0);
        using IStorageSnapshot snapshot = Open(storage);
        using var memory = new LostMemory { ReadsLeft = 1 };
        var batch = new WriteBatch();
        batch.Put(Key(1), Number(-1));
        batch.Delete(memory.Memory);
        memory.ReadsLeft = 1;
        var cause = Assert.Throws<ObjectDisposedException>(() => Commit(storage, batch));

        foreach (Action use in new Action[] { () => Open(storage), () => Commit(storage, new WriteBatch()) })
        {
            var failure = Assert.Throws<StorageException>(use);
            Assert.Equal(StorageError.Failed, failure.Error);
            Assert.Same(cause, failure.InnerException);
        }
        Check((snapshot, entries));
    }

    [Fact]
    public void The_newest_shown_version_is_correct_after_any_snapshots_are_closed() =>
        Gen.Select(Gen.Int[0, 2], Gen.Int[0, 100]).Array.Sample(steps =>
        {
            var shown = new ShownVersions();
            var model = new List<long>();
            long version = 0;
            foreach (var (step, which) in steps)
            {
                if (step == 0)
                {
                    version++;
                }
                else if (step == 1)
                {
                    shown.Add(version);
                    model.Add(version);
                }
                else if (model.Count > 0)
                {
                    shown.Remove(model[which % model.Count]);
                    model.RemoveAt(which % model.Count);
                }
                Assert.Equal(model.DefaultIfEmpty().Max(), shown.Newest);
            }
        });

    static ImmutableSortedDictionary<int, long> Change(
        MemoryStorage storage, ImmutableSortedDictionary<int, long> model, Random random, int operations, double deletes)
    {
        var (batch, changed) = Prepare(model, random, operations, deletes);
        Commit(storage, batch);
        return changed;
    }

    static (WriteBatch Batch, ImmutableSortedDictionary<int, long> Changed) Prepare(
        ImmutableSortedDictionary<int, long> model, Random random, int operations, double deletes)
    {
        var batch = new WriteBatch();
        var changed = model.ToBuilder();
        for (int i = 0; i < operations; i++)
        {
            int key = random.Next(Keys);
            long? value = random.NextDouble() < deletes ? null : random.NextInt64();
            if (value is { } put)
            {
                batch.Put(Key(key), Number(put));
                changed[key] = put;
            }
            else
            {
                batch.Delete(Key(key));
                changed.Remove(key);
            }
        }
        return (batch, changed.ToImmutable());
    }

    static void Set(WriteBatch batch, int account, long balance)
    {
        if (balance == 0)
            batch.Delete(Key(account));
        else
            batch.Put(Key(account), Number(balance));
    }

    static void Check((IStorageSnapshot Actual, ImmutableSortedDictionary<int, long> Expected) snapshot)
    {
        Assert.Equal(snapshot.Expected.Select(entry => (entry.Key, entry.Value)), Scan(snapshot.Actual, pageSize: 300));
        for (int key = 0; key < Keys; key += 97)
        {
            long? expected = snapshot.Expected.TryGetValue(key, out long number) ? number : null;
            ReadOnlyMemory<byte>? actual = Completed(snapshot.Actual.GetAsync(Key(key)));
            Assert.Equal(expected, actual is { } value ? BinaryPrimitives.ReadInt64BigEndian(value.Span) : null);
        }
    }

    static List<(int Key, long Number)> Scan(IStorageSnapshot snapshot, int pageSize)
    {
        var entries = new List<(int, long)>();
        var range = KeyRange.All;
        while (Completed(snapshot.ScanAsync(range, ScanDirection.Forward, pageSize)) is { Count: > 0 } page)
        {
            foreach (StorageEntry entry in page)
                entries.Add((BinaryPrimitives.ReadInt32BigEndian(entry.Key.Span), BinaryPrimitives.ReadInt64BigEndian(entry.Value.Span)));
            range = range.After(page[^1].Key);
        }
        return entries;
    }

    static IStorageSnapshot Open(MemoryStorage storage) => Completed(storage.OpenSnapshotAsync());

    static T Completed<T>(ValueTask<T> task)
    {
        Assert.True(task.IsCompleted);
        return task.Result;
    }

    static void Commit(MemoryStorage storage, WriteBatch batch)
    {
        ValueTask commit = storage.CommitAsync(batch, Durability.Buffered);
        if (commit.IsCompleted)
            commit.GetAwaiter().GetResult();
        else
            Assert.Fail("The memory store did not commit before it returned.");
    }

    static byte[] Key(int number)
    {
        byte[] key = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(key, number);
        return key;
    }

    static byte[] Number(long number)
    {
        byte[] value = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(value, number);
        return value;
    }

    sealed class LostMemory : MemoryManager<byte>
    {
        readonly byte[] _bytes = new byte[8];

        public int ReadsLeft { get; set; }

        public override Span<byte> GetSpan()
        {
            ObjectDisposedException.ThrowIf(ReadsLeft == 0, this);
            ReadsLeft--;
            return _bytes;
        }

        public override MemoryHandle Pin(int elementIndex = 0) => throw new NotSupportedException();

        public override void Unpin() => throw new NotSupportedException();

        protected override void Dispose(bool disposing) => ReadsLeft = 0;
    }
}
