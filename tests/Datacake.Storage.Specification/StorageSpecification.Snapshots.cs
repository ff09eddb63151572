namespace Datacake.Storage.Specification;

public abstract partial class StorageSpecification
{
    [Fact]
    public async Task A_snapshot_does_not_see_later_commits()
    {
        await CommitAsync(("a", "1"), ("b", "1"));
        using IStorageSnapshot snapshot = await Storage.OpenSnapshotAsync();
        await CommitAsync(("a", "2"), ("b", null), ("c", "2"));
        Assert.Equal(["a=1", "b=1"], await ScanAsync(snapshot, KeyRange.All));
        Assert.Equal("1", await GetAsync(snapshot, "b"));
        Assert.Null(await GetAsync(snapshot, "c"));
        Assert.Equal(["a=2", "c=2"], await ScanAsync(KeyRange.All));
    }

    [Fact]
    public async Task A_snapshot_of_the_empty_store_stays_empty()
    {
        using IStorageSnapshot snapshot = await Storage.OpenSnapshotAsync();
        await CommitAsync(("a", "1"));
        Assert.Empty(await ScanAsync(snapshot, KeyRange.All));
    }

    [Fact]
    public async Task Each_of_many_snapshots_shows_its_own_point_in_time()
    {
        var snapshots = new List<IStorageSnapshot>();
        for (int i = 0; i < 100; i++)
        {
            await CommitAsync(("key", $"{i}"), ($"{i:D3}", ""));
            snapshots.Add(await Storage.OpenSnapshotAsync());
        }
        for (int i = 0; i < snapshots.Count; i++)
        {
            Assert.Equal($"{i}", await GetAsync(snapshots[i], "key"));
            Assert.Equal(i + 2, (await ScanAsync(snapshots[i], KeyRange.All)).Count);
        }
        snapshots.ForEach(snapshot => snapshot.Dispose());
        Assert.Equal("99", await GetAsync("key"));
    }

    [Fact]
    public async Task A_snapshot_does_not_change_while_others_commit()
    {
        await CommitAsync([.. Enumerable.Range(0, 500).Select(i => ($"{i:D3}", (string?)"old"))]);
        using IStorageSnapshot snapshot = await Storage.OpenSnapshotAsync();
        List<string> before = await ScanAsync(snapshot, KeyRange.All);

        Task writer = Task.Run(async () =>
        {
            for (int round = 0; round < 50; round++)
            {
                int modulus = round + 2;
                await CommitAsync(
                    [.. Enumerable.Range(0, 600).Select(i => ($"{i:D3}", i % modulus == 0 ? null : new string('n', 10 * round)))]);
            }
        });
        do
            Assert.Equal(before, await ScanAsync(snapshot, KeyRange.All, pageSize: 50));
        while (!writer.IsCompleted);
        await writer;
        Assert.Equal(before, await ScanAsync(snapshot, KeyRange.All, pageSize: 50));
    }

    [Fact]
    public async Task Many_threads_can_read_one_snapshot_at_once()
    {
        await CommitAsync([.. Enumerable.Range(0, 200).Select(i => ($"{i:D3}", (string?)$"{i}"))]);
        using IStorageSnapshot snapshot = await Storage.OpenSnapshotAsync();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(reader => Task.Run(async () =>
        {
            for (int i = reader; i < 200; i++)
            {
                Assert.Equal($"{i}", await GetAsync(snapshot, $"{i:D3}"));
                Assert.Equal(200 - i, (await ScanAsync(snapshot, Range($"{i:D3}", null), (ScanDirection)(i % 2), pageSize: 60)).Count);
            }
        })));
    }

    [Fact]
    public async Task Memory_returned_by_a_snapshot_stays_valid_until_the_snapshot_is_disposed()
    {
        await CommitAsync([.. Enumerable.Range(0, 100).Select(i => ($"{i:D3}", (string?)new string('v', i * 50)))]);
        using IStorageSnapshot snapshot = await Storage.OpenSnapshotAsync();
        ReadOnlyMemory<byte> value = (await snapshot.GetAsync(Bytes("099")))!.Value;
        IReadOnlyList<StorageEntry> page = await snapshot.ScanAsync(KeyRange.All, ScanDirection.Forward, 100);

        for (int round = 0; round < 20; round++)
            await CommitAsync([.. Enumerable.Range(0, 100).Select(i => ($"{i:D3}", (string?)new string('w', i * 50 + round)))]);
        for (int i = 0; i < 50; i++)
            await GetAsync(snapshot, $"{i:D3}");

        Assert.Equal(new string('v', 99 * 50), Text(value));
        for (int i = 0; i < page.Count; i++)
            Assert.Equal(($"{i:D3}", new string('v', i * 50)), (Text(page[i].Key), Text(page[i].Value)));
    }
}
