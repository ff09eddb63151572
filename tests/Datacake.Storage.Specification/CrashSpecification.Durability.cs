namespace Datacake.Storage.Specification;

public abstract partial class CrashSpecification
{
    /// <summary>
    /// Gets whether the process that commits writes the files of the store. If a server does, the tests with recorded system calls are skipped, and the
    /// provider shows in tests of its own what is on the disk.
    /// </summary>
    protected virtual bool WritesFiles => true;

    /// <summary>Gets the least number of commits to record: enough to include work that a store does only now and then.</summary>
    protected virtual int RecordedCommits => 60;

    /// <summary>Gets the approximate number of power losses. The environment variable DATACAKE_POWER_LOSSES sets it.</summary>
    protected virtual int PowerLosses => StorageSpecification.Parameter("DATACAKE_POWER_LOSSES", 10);

    /// <summary>
    /// Returns true if a store needs a file to find its data again after a power loss. Files that are rebuilt when the store is opened (locks, shared
    /// memory) need not be on the disk.
    /// </summary>
    protected virtual bool IsData(string path) => true;

    /// <summary>
    /// Returns true if a file may have contents that are not on the disk when a flushed batch is acknowledged, because the disk has them elsewhere.
    /// For example, they are being moved there from a log.
    /// </summary>
    protected virtual bool IsWrittenLater(string path) => false;

    /// <summary>Gets the greatest number of times that a buffered commit may wait for the disk. This is an average, since moving a log needs some waits.</summary>
    protected virtual double SyncsPerBufferedCommit => 0.5;

    [Fact]
    public async Task An_acknowledged_batch_is_written_and_a_flushed_one_is_on_the_disk()
    {
        Assert.SkipUnless(WritesFiles, "A server writes the files of the store.");
        string path = Directory[StoreName];
        var synced = new HashSet<int>();                                     // Descriptors whose writes are on the disk when they return.
        var unsynced = new SortedSet<string>(StringComparer.Ordinal);        // Files with contents that are not on the disk.
        var unnamed = new SortedSet<string>(StringComparer.Ordinal);         // Files whose name is not on the disk.
        var known = new HashSet<string>();
        int acknowledged = 0;
        int writes = 0;
        int syncs = 0;
        int bufferedSyncs = 0;
        foreach (SystemCall call in await RecordAsync(path))
        {
            if (call.Name == "openat")
            {
                synced.Remove(call.OpenedDescriptor);
                if (call.OpensForSyncedWrites)
                    synced.Add(call.OpenedDescriptor);
                if (call.MakesFile && IsPartOf(path, call.OpenedPath) && known.Add(call.OpenedPath))
                    unnamed.Add(call.OpenedPath);
            }
            else if (call.IsRename && IsPartOf(path, call.LastArgument))
            {
                unnamed.Add(call.LastArgument);
            }
            else if (call.IsWrite && IsPartOf(path, call.Path))
            {
                writes++;
                // A truncation that is not on the disk hides nothing that was written.
                if (!call.IsCut && !synced.Contains(call.Descriptor) && !IsWrittenLater(call.Path))
                    unsynced.Add(call.Path);
            }
            else if (call.IsSync)
            {
                syncs++;
                unsynced.Remove(call.Path);
                unnamed.RemoveWhere(name => Path.GetDirectoryName(name) == call.Path);
            }
            else if (call.AcknowledgedNumber is { } number)
            {
                Assert.Equal(acknowledged + 1, number);
                acknowledged = number;
                Assert.True(writes > 0, $"Batch {number} was acknowledged before any of it was written.");
                if (NumberedBatches.DurabilityOf(number) == Durability.Flushed)
                {
                    Assert.True(
                        unsynced.Count + unnamed.Count == 0,
                        $"Flushed batch {number} was acknowledged before the contents of {string.Join(", ", unsynced)} and the names of "
                            + $"{string.Join(", ", unnamed)} were on the disk.");
                }
                else if (number > 1)
                {
                    bufferedSyncs += syncs;
                }
                writes = 0;
                syncs = 0;
            }
        }
        Assert.True(acknowledged >= RecordedCommits, $"The record contains only {acknowledged} acknowledgments.");
        Assert.InRange(bufferedSyncs, 0, SyncsPerBufferedCommit * acknowledged);
    }

    [Fact]
    public async Task Flushed_batches_survive_a_power_loss_and_no_batch_is_torn()
    {
        Assert.SkipUnless(WritesFiles, "A server writes the files of the store.");
        string path = Directory[StoreName];
        List<SystemCall> calls = await RecordAsync(path);
        var disk = new RecordedDisk(path, file => IsPartOf(path, file));
        var random = new Random(1);
        int flushed = 0;
        int acknowledged = 0;
        int losses = 0;
        foreach (SystemCall call in calls)
        {
            disk.Replay(call);
            if (call.AcknowledgedNumber is { } number)
            {
                acknowledged = number;
                if (NumberedBatches.DurabilityOf(number) == Durability.Flushed)
                    flushed = number;
            }
            // Before that, the store may not exist yet. After that, the power may fail at any time, usually in the middle of a commit.
            if (flushed == 0 || random.Next(calls.Count) >= 3 * PowerLosses)
                continue;
            losses++;
            string left = Directory[$"loss-{losses}/{StoreName}"];
            double chance = random.Next(5) / 4.0;
            disk.WriteTo(left, () => random.NextDouble() < chance);
            await using IStorage storage = Open(left);
            int last = await NumberedBatches.LastAsync(storage);
            Assert.InRange(last, flushed, acknowledged + 1);
            await NumberedBatches.CheckAsync(storage, last);
        }
        Assert.True(losses > 0, $"{acknowledged} batches were acknowledged, but the power never failed.");
    }

    async Task<List<SystemCall>> RecordAsync(string path)
    {
        string record = Directory["record"];
        using (var process = StorageProcess.Start(path, SystemCalls.Recorder(record)))
        {
            // An acknowledgment is read before it is recorded. Only the next one shows that it is in the record.
            await process.WaitForAcknowledgmentsAsync(RecordedCommits + 1);
            await process.KillAsync();
        }
        return SystemCalls.Read(record);
    }

    bool IsPartOf(string store, string path) =>
        path.StartsWith(store, StringComparison.Ordinal) && !path.EndsWith(".lock", StringComparison.Ordinal) && IsData(path);
}
