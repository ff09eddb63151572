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

    /// <summary>
    /// Gets whether the provider can compact a store that is open. If not, its <see cref="IDurableStorage.CompactAsync"/> throws
    /// <see cref="PlatformNotSupportedException"/>.
    /// </summary>
    protected virtual bool CanCompact => true;

    /// <summary>
    /// Gets whether the store is a file or a directory at its path. If a server keeps it under that name, the tests of links, of read-only disks and of
    /// paths that cannot be created are skipped.
    /// </summary>
    protected virtual bool IsFile => true;

    /// <summary>Opens a backup. Override it if a backup is not itself a store that can be opened at its path.</summary>
    protected virtual ValueTask<IStorage> OpenBackupAsync(string path) => new(Open(path));

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
    public async Task A_symbolic_link_opens_the_store_that_it_leads_to_and_only_once()
    {
        Assert.SkipUnless(IsFile, "The store is not a file.");
        await CommitAsync(("a", "1"));
        string link = Directory["link"];
        try
        {
            if (System.IO.Directory.Exists(StoragePath))
                System.IO.Directory.CreateSymbolicLink(link, StoragePath);
            else
                File.CreateSymbolicLink(link, StoragePath);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Assert.Skip($"This process may not create symbolic links: {exception.Message}");
        }
        StorageException refusal = Assert.Throws<StorageException>(() => Open(link));
        Assert.Equal(StorageError.AlreadyOpen, refusal.Error);
        Assert.Contains(link, refusal.Message, StringComparison.Ordinal);
        Assert.Contains(StoragePath, refusal.Message, StringComparison.Ordinal);

        await CloseAsync();
        await using (IStorage linked = Open(link))
        {
            Assert.Throws<StorageException>(() => Open(StoragePath));
            var batch = new WriteBatch();
            batch.Put(Bytes("b"), Bytes("2"));
            await linked.CommitAsync(batch, Durability.Flushed);
        }
        // Files next to the link would be missed by the next owner who opens the store by its own name.
        Assert.Equal([link], System.IO.Directory.GetFileSystemEntries(Path.GetDirectoryName(link)!, "link*"));
        await ReopenAsync();
        Assert.Equal(["a=1", "b=2"], await ScanAsync(KeyRange.All));
    }

    [Fact]
    public void A_path_that_cannot_be_created_is_refused_by_name()
    {
        Assert.SkipUnless(IsFile, "The store is not a file.");
        // A file exists where the path needs a directory.
        File.WriteAllText(Directory["file"], "");
        string path = Path.Combine(Directory["file"], "store");
        StorageException refusal = Assert.Throws<StorageException>(() => Open(path));
        Assert.Equal(StorageError.Inaccessible, refusal.Error);
        Assert.Contains(path, refusal.Message, StringComparison.Ordinal);
    }
}
