namespace Datacake.Storage.Specification;

public abstract partial class StorageSpecification
{
    [Fact]
    public void A_store_has_a_description() => Assert.NotEmpty(Storage.Description);

    [Fact]
    public async Task A_call_with_a_canceled_token_does_nothing()
    {
        await CommitAsync(("a", "1"));
        using IStorageSnapshot snapshot = await Storage.OpenSnapshotAsync();
        var canceled = new CancellationToken(canceled: true);
        var batch = new WriteBatch();
        batch.Put(Bytes("a"), Bytes("2"));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await Storage.CommitAsync(batch, Durability.Flushed, canceled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await Storage.OpenSnapshotAsync(canceled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await snapshot.GetAsync(Bytes("a"), canceled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await snapshot.ScanAsync(KeyRange.All, ScanDirection.Forward, 10, canceled));

        Assert.Equal("1", await GetAsync(snapshot, "a"));
        Assert.Equal("1", await GetAsync("a"));
    }

    [Fact]
    public async Task A_disposed_store_throws_ObjectDisposedException()
    {
        IStorage storage = Storage;
        await storage.DisposeAsync();
        await storage.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await storage.OpenSnapshotAsync());
        await Assert.ThrowsAsync<ObjectDisposedException>(
            async () => await storage.CommitAsync(new WriteBatch(), Durability.Buffered));
    }

    [Fact]
    public async Task A_disposed_snapshot_throws_ObjectDisposedException()
    {
        await CommitAsync(("a", "1"));
        IStorageSnapshot snapshot = await Storage.OpenSnapshotAsync();
        snapshot.Dispose();
        snapshot.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await snapshot.GetAsync(Bytes("a")));
        await Assert.ThrowsAsync<ObjectDisposedException>(
            async () => await snapshot.ScanAsync(KeyRange.All, ScanDirection.Forward, 10));
        Assert.Equal("1", await GetAsync("a"));
    }

    [Fact]
    public async Task A_snapshot_that_outlives_its_store_does_no_harm()
    {
        await CommitAsync(("a", "1"));
        IStorageSnapshot snapshot = await Storage.OpenSnapshotAsync();
        await CloseAsync();
        snapshot.Dispose();
    }
}
