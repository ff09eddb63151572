namespace Datacake.Storage.Specification;

public abstract partial class StorageSpecification
{
    [Fact]
    public async Task A_later_batch_replaces_and_removes_earlier_entries()
    {
        await CommitAsync(("a", "1"), ("b", "1"), ("c", "1"));
        await CommitAsync(("a", "two, which is longer"), ("b", null));
        Assert.Equal(["a=two, which is longer", "c=1"], await ScanAsync(KeyRange.All));
        await CommitAsync(("a", ""), ("b", "3"));
        Assert.Equal(["a=", "b=3", "c=1"], await ScanAsync(KeyRange.All));
    }

    [Fact]
    public async Task The_last_operation_on_a_key_wins_within_a_batch()
    {
        await CommitAsync(("old", "1"), ("put twice", "1"));
        await CommitAsync(
            ("put twice", "2"), ("put twice", "3"),
            ("put and deleted", "2"), ("put and deleted", null),
            ("deleted and put", null), ("deleted and put", "2"),
            ("old", null), ("old", "2"), ("old", null));
        Assert.Equal(["deleted and put=2", "put twice=3"], await ScanAsync(KeyRange.All));
    }

    [Fact]
    public async Task Deleting_an_absent_key_changes_nothing()
    {
        await CommitAsync(("a", null));
        await CommitAsync(("b", "1"));
        await CommitAsync(("a", null), ("bb", null), ("", null));
        Assert.Equal(["b=1"], await ScanAsync(KeyRange.All));
    }

    [Fact]
    public async Task An_empty_batch_changes_nothing()
    {
        await CommitAsync(("a", "1"));
        await Storage.CommitAsync(new WriteBatch(), Durability.Flushed);
        Assert.Equal(["a=1"], await ScanAsync(KeyRange.All));
    }

    [Fact]
    public async Task A_batch_can_be_committed_again_and_refilled()
    {
        var batch = new WriteBatch();
        batch.Put(Bytes("a"), Bytes("1"));
        await Storage.CommitAsync(batch, Durability.Flushed);
        await CommitAsync(("a", "2"));
        await Storage.CommitAsync(batch, Durability.Buffered);
        Assert.Equal(["a=1"], await ScanAsync(KeyRange.All));

        batch.Clear();
        batch.Put(Bytes("b"), Bytes("3"));
        await Storage.CommitAsync(batch, Durability.Flushed);
        Assert.Equal(["a=1", "b=3"], await ScanAsync(KeyRange.All));
    }

    [Fact]
    public async Task The_memory_of_a_batch_can_be_reused_after_the_commit()
    {
        byte[] key = Bytes("key");
        byte[] value = Bytes("value");
        var batch = new WriteBatch();
        batch.Put(key, value);
        await Storage.CommitAsync(batch, Durability.Buffered);
        key.AsSpan().Fill((byte)'x');
        value.AsSpan().Fill((byte)'x');
        Assert.Equal(["key=value"], await ScanAsync(KeyRange.All));
    }

    [Fact]
    public async Task A_batch_may_hold_many_operations()
    {
        const int Count = 20_000;
        var batch = new WriteBatch();
        for (int i = 0; i < Count; i++)
            batch.Put(Bytes($"{i * 7919 % Count:D6}"), Bytes($"{i}"));
        await Storage.CommitAsync(batch, Durability.Buffered);
        List<string> entries = await ScanAsync(KeyRange.All, pageSize: 999);
        Assert.Equal(Count, entries.Count);
        Assert.Equal(entries.Order(StringComparer.Ordinal), entries);

        batch.Clear();
        for (int i = 0; i < Count; i += 2)
            batch.Delete(Bytes($"{i:D6}"));
        await Storage.CommitAsync(batch, Durability.Buffered);
        Assert.Equal(entries.Where((_, i) => i % 2 == 1), await ScanAsync(KeyRange.All, pageSize: 999));
    }

    [Fact]
    public async Task Concurrently_committed_batches_are_all_kept()
    {
        await Task.WhenAll(Enumerable.Range(0, 8).Select(writer => Task.Run(async () =>
        {
            for (int i = 0; i < 25; i++)
                await CommitAsync(($"{writer}/{i}", "1"), ("last", $"{writer}/{i}"));
        })));
        Assert.Equal(8 * 25 + 1, (await ScanAsync(KeyRange.All)).Count);
    }

    [Fact]
    public async Task A_reader_sees_all_of_a_batch_or_none_of_it()
    {
        const int Keys = 50;
        int looks = 0;
        using var stop = new CancellationTokenSource();
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        Task[] readers = [.. Enumerable.Range(0, 3).Select(_ => Task.Run(async () =>
        {
            string seen = "";
            while (!stop.IsCancellationRequested)
            {
                using IStorageSnapshot snapshot = await Storage.OpenSnapshotAsync();
                List<string> entries = await ScanAsync(snapshot, KeyRange.All, pageSize: 7);
                Assert.True(entries.Count is 0 or Keys, $"The reader saw {entries.Count} of {Keys} keys.");
                Assert.True(entries.Select(entry => entry.Split('=')[1]).Distinct().Count() <= 1, "The reader saw values of two batches.");
                if (entries.Count == 0)
                    continue;
                string value = entries[^1].Split('=')[1];
                Assert.Equal(value, await GetAsync(snapshot, "00"));
                // Counts only changes by the writer: a reader can make any number of reads while the writer has no processor.
                if (value != seen)
                    Interlocked.Increment(ref looks);
                seen = value;
            }
        }))];
        for (int generation = 0; generation < 100 || Volatile.Read(ref looks) < 60; generation++)
        {
            await CommitAsync([.. Enumerable.Range(0, Keys).Select(key => ($"{key:D2}", (string?)$"{generation}"))]);
            if (Array.Exists(readers, reader => reader.IsFaulted))
                break;
            Assert.False(deadline.IsCancellationRequested, $"The readers saw only {looks} changes in a minute.");
        }
        await stop.CancelAsync();
        await Task.WhenAll(readers);
    }
}
