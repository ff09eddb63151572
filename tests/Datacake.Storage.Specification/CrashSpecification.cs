namespace Datacake.Storage.Specification;

/// <summary>
/// Tests of a durable store whose process is killed. A provider's test project inherits this class and calls
/// <see cref="StorageProcess.TryRunAsync"/> in its own entry point.
/// </summary>
public abstract partial class CrashSpecification : IDisposable
{
    /// <summary>Opens the store at a path, or creates it if it does not exist.</summary>
    protected abstract IStorage Open(string path);

    /// <summary>Gets the directory of this test.</summary>
    protected TemporaryDirectory Directory { get; } = new();

    /// <summary>Gets the last part of the store's path. An entry point for several providers can choose the provider by it.</summary>
    protected virtual string StoreName => "store";

    /// <summary>Gets the number of times that a process is killed. The environment variable DATACAKE_CRASHES sets it.</summary>
    protected virtual int Crashes => StorageSpecification.Parameter("DATACAKE_CRASHES", 5);

    [Fact]
    public async Task Acknowledged_batches_survive_a_kill_and_no_batch_is_torn()
    {
        string path = Directory[StoreName];
        var random = new Random(1);
        for (int crash = 0; crash < Crashes; crash++)
        {
            using var process = StorageProcess.Start(path);
            await process.WaitForAcknowledgmentsAsync(random.Next(1, 500));
            await process.KillAsync();

            await using IStorage storage = Open(path);
            int last = await NumberedBatches.LastAsync(storage);
            // The batch after the last acknowledged one may have been committed without its acknowledgment being written.
            Assert.InRange(last, process.LastAcknowledged, process.LastAcknowledged + 1);
            await NumberedBatches.CheckAsync(storage, last);
        }
    }

    [Fact]
    public async Task A_store_cannot_be_opened_until_the_process_that_owns_it_is_killed()
    {
        string path = Directory[StoreName];
        using var process = StorageProcess.Start(path);
        await process.WaitForAcknowledgmentsAsync(1);
        StorageException refusal = Assert.Throws<StorageException>(() => Open(path));
        Assert.Equal(StorageError.AlreadyOpen, refusal.Error);

        await process.KillAsync();
        await using IStorage storage = Open(path);
        Assert.True(await NumberedBatches.LastAsync(storage) >= process.LastAcknowledged);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Directory.Dispose();
        GC.SuppressFinalize(this);
    }
}
