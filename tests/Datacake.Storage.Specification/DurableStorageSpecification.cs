namespace Datacake.Storage.Specification;

/// <summary>Tests of a store that outlives its process, in addition to <see cref="StorageSpecification"/>.</summary>
public abstract partial class DurableStorageSpecification : StorageSpecification
{
    /// <inheritdoc/>
    protected abstract override IDurableStorage Open(string path);

    /// <summary>Restores a store at a path from a backup, with the provider's own method.</summary>
    protected abstract ValueTask RestoreAsync(string backup, string path);

    /// <inheritdoc/>
    protected sealed override bool IsDurable => true;

    /// <inheritdoc cref="StorageSpecification.Storage"/>
    protected new IDurableStorage Storage => (IDurableStorage)base.Storage;

    [Theory]
    [InlineData(Durability.Buffered)]
    [InlineData(Durability.Flushed)]
    public async Task Committed_entries_survive_reopening_the_store(Durability durability)
    {
        for (int round = 0; round < 5; round++)
        {
            var batch = new WriteBatch();
            for (int i = 0; i < 200; i++)
                batch.Put(Bytes($"{round}/{i:D3}"), Bytes($"{round * i}"));
            batch.Delete(Bytes($"{round - 1}/100"));
            await Storage.CommitAsync(batch, durability);
            List<string> before = await ScanAsync(KeyRange.All);
            Assert.Equal(round * 199 + 200, before.Count);
            await ReopenAsync();
            Assert.Equal(before, await ScanAsync(KeyRange.All));
        }
    }

    [Fact]
    public async Task A_store_may_be_closed_and_opened_again_without_a_commit()
    {
        await ReopenAsync();
        await ReopenAsync();
        Assert.Empty(await ScanAsync(KeyRange.All));
    }

    [Fact]
    public async Task A_second_opener_is_refused_until_the_first_has_closed()
    {
        await CommitAsync(("a", "1"));
        StorageException refusal = Assert.Throws<StorageException>(() => Open(StoragePath));
        Assert.Equal(StorageError.AlreadyOpen, refusal.Error);
        Assert.Contains(StoragePath, refusal.Message, StringComparison.Ordinal);

        await CommitAsync(("b", "2"));
        await CloseAsync();
        await using IStorage second = Open(StoragePath);
        using IStorageSnapshot snapshot = await second.OpenSnapshotAsync();
        Assert.Equal(["a=1", "b=2"], await ScanAsync(snapshot, KeyRange.All));
    }

    [Fact]
    public void A_path_that_cannot_be_created_is_refused_by_name()
    {
        // A file exists where the path needs a directory.
        File.WriteAllText(Directory["file"], "");
        string path = Path.Combine(Directory["file"], "store");
        StorageException refusal = Assert.Throws<StorageException>(() => Open(path));
        Assert.Equal(StorageError.Inaccessible, refusal.Error);
        Assert.Contains(path, refusal.Message, StringComparison.Ordinal);
    }
}
