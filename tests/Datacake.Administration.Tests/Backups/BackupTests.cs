using System.Diagnostics.Metrics;
using Datacake.Administration.Backups;
using Datacake.EventualConsistency.Layout;
using Datacake.Node;
using Datacake.Rpc.Tests.Fixtures;
using Datacake.Sqlite;
using Datacake.Storage;

namespace Datacake.Administration.Tests.Backups;

/// <summary>Backups of a node with a SQLite file, with a clock that the test moves.</summary>
public sealed class BackupTests : IAsyncLifetime
{
    static readonly TimeSpan Interval = TimeSpan.FromMinutes(10), Pause = TimeSpan.FromMinutes(1), RetryAfter = TimeSpan.FromMinutes(2);

    readonly string _root = Directory.CreateTempSubdirectory("datacake-backups-").FullName;
    readonly ManualTimeProvider _time = new(new DateTimeOffset(2026, 12, 1, 8, 0, 0, TimeSpan.Zero));
    readonly CollectingLog _log = new();
    Fixture _cluster = null!;
    BackupDisk _disk = null!;

    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    string Folder => Path.Combine(_root, "backups");

    string[] Files => [.. Directory.GetFiles(Folder).Order(StringComparer.Ordinal)];

    public async ValueTask InitializeAsync()
    {
        Directory.CreateDirectory(Folder);
        _cluster = await Fixture.StartAsync(1, options => options.UseSqlite(Path.Combine(_root, "cakes.db")));
        await PutAsync(1);
        _disk = new BackupDisk((IDurableStorage)_cluster[1].Storage!);
    }

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        Directory.Delete(_root, recursive: true);
    }

    [Fact]
    public async Task Backups_are_made_at_each_interval_and_the_newest_ones_are_kept()
    {
        await using var scheduler = Start(options => options.Keep = 2);
        await WaitAsync(scheduler, lastAt: TimeSpan.Zero);
        string first = Assert.Single(Files);

        for (int i = 1; i <= 3; i++)
        {
            await PutAsync(i);
            await AdvanceAsync(scheduler, Interval);
            await WaitAsync(scheduler, lastAt: i * Interval);
        }

        Assert.Equal(2, Files.Length);
        Assert.DoesNotContain(first, Files);
        Assert.StartsWith("20261201T083000.000Z_node1_datacake_", Path.GetFileName(Files[1]), StringComparison.Ordinal);
        Assert.Equal((Files[1], new FileInfo(Files[1]).Length), (scheduler.Status.LastFile, scheduler.Status.LastBytes));
        Assert.Equal(_time.GetUtcNow() + Interval, scheduler.Status.NextAt);
        Assert.Empty(scheduler.Find());
        Assert.Equal(4, _log.Count("was backed up to"));
        Assert.Equal(3, (await VerifyAsync(Files[1])).Documents);
    }

    [Fact]
    public async Task Backup_that_was_missed_is_made_at_the_start_and_others_are_not()
    {
        await using (var scheduler = Start())
            await WaitAsync(scheduler, lastAt: TimeSpan.Zero);

        _time.Advance(Interval / 2);
        await using (var early = Start())
        {
            await WaitForPauseAsync(early);
            Assert.Equal(_time.GetUtcNow() + (Interval / 2), early.Status.NextAt);
            Assert.Equal(Assert.Single(Files), early.Status.LastFile);
        }
        _time.Advance(3 * Interval);
        await using var late = Start();
        await WaitAsync(late, lastAt: 3.5 * Interval);

        Assert.Equal(2, Files.Length);
    }

    [Fact]
    public async Task Damaged_backup_gets_no_name_deletes_no_other_and_is_made_again()
    {
        await using var scheduler = Start(options => options.Keep = 1);
        await WaitAsync(scheduler, lastAt: TimeSpan.Zero);
        string good = Assert.Single(Files);
        _disk.Written = path => ChangeAsync(path, static value => value[0] ^= 1);

        await AdvanceAsync(scheduler, Interval);
        await Eventually.WaitUntilAsync(() => scheduler.Status.Failure is not null, "the backup has failed");
        await WaitForPauseAsync(scheduler);

        Assert.Equal(good, Assert.Single(Files));
        Assert.Contains("the checksum of the document 1 of 'cakes' is wrong", scheduler.Status.Failure, StringComparison.Ordinal);
        Assert.Equal(_time.GetUtcNow() + RetryAfter, scheduler.Status.NextAt);
        var finding = Assert.Single(scheduler.Find());
        Assert.Equal((FindingSeverity.Warning, "backup-failed"), (finding.Severity, finding.Code));
        Assert.Contains("checksum", finding.Problem, StringComparison.Ordinal);
        Assert.Contains("The last good one is from 2026-12-01 08:00:00Z", finding.Problem, StringComparison.Ordinal);
        Assert.Contains("The next attempt is at 2026-12-01 08:12:00Z", finding.Remedy, StringComparison.Ordinal);
        Assert.Equal(1, _log.Count("The backup of node 1 to"));

        _disk.Written = static _ => Task.CompletedTask;
        await AdvanceAsync(scheduler, RetryAfter);
        await WaitAsync(scheduler, lastAt: Interval + RetryAfter);

        Assert.NotEqual(good, Assert.Single(Files));
        Assert.Empty(scheduler.Find());
        Assert.Null(scheduler.Status.FailingSince);
    }

    [Fact]
    public async Task Full_disk_is_a_finding_that_is_logged_rarely_and_older_backups_are_kept()
    {
        await using var scheduler = Start(options => options.Keep = 1);
        await WaitAsync(scheduler, lastAt: TimeSpan.Zero);
        var measured = new List<(string Name, string Outcome)>();
        using var listener = ListenTo(measured);
        _disk.Written = static path => throw new StorageException(StorageError.Full, $"The disk of '{path}' is full.");

        await AdvanceAsync(scheduler, Interval);
        for (int attempt = 1; attempt <= 5; attempt++)
        {
            await Eventually.WaitUntilAsync(() => measured.Count == attempt, $"attempt {attempt} has failed");
            await WaitForPauseAsync(scheduler);
            // After the last one, the scheduler pauses: an attempt that is under way has a file.
            if (attempt < 5)
                await AdvanceAsync(scheduler, RetryAfter);
        }

        Assert.Single(Files);
        Assert.Contains("is full", Assert.Single(scheduler.Find()).Problem, StringComparison.Ordinal);
        Assert.Equal(_time.GetUtcNow() - (4 * RetryAfter), scheduler.Status.FailingSince);
        Assert.All(measured.Take(5), static backup => Assert.Equal(("datacake.backups", "failed"), backup));
        Assert.Equal(1, _log.Count("The backup of node 1 to"));
    }

    [Fact]
    public async Task Missing_folder_is_not_created()
    {
        Directory.Delete(Folder);
        await using var scheduler = Start();

        await Eventually.WaitUntilAsync(() => scheduler.Status.Failure is not null, "the backup has failed");
        await WaitForPauseAsync(scheduler);

        Assert.Contains("does not exist. Create it, or mount its volume.", scheduler.Status.Failure, StringComparison.Ordinal);
        Assert.Contains("There is none yet.", Assert.Single(scheduler.Find()).Problem, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Folder));
        for (int i = 0; i < 12; i++)
        {
            await AdvanceAsync(scheduler, RetryAfter);
            await WaitForPauseAsync(scheduler);
        }
        Assert.Equal(2, _log.Count("The backup of node 1 to"));
        Directory.CreateDirectory(Folder);
        await AdvanceAsync(scheduler, RetryAfter);
        await WaitAsync(scheduler, lastAt: 13 * RetryAfter);
        Assert.Single(Files);
    }

    [Fact]
    public async Task Backup_that_hangs_is_a_finding()
    {
        var hanging = new TaskCompletionSource();
        _disk.Written = _ => hanging.Task;
        await using var scheduler = Start();

        _time.Advance(TimeSpan.FromMinutes(61));
        Assert.Equal("backup-late", Assert.Single(scheduler.Find()).Code);

        hanging.SetResult();
        await Eventually.WaitUntilAsync(() => !scheduler.Find().Any(), "the backup is complete");
    }

    [Fact]
    public async Task Killed_attempts_leave_nothing_behind()
    {
        await using (var scheduler = Start())
            await WaitAsync(scheduler, lastAt: TimeSpan.Zero);
        string good = Assert.Single(Files);
        File.WriteAllText(good + ".unverified", "half a backup");
        File.WriteAllText(good + ".unverified.partial", "half a backup");

        _time.Advance(Interval);
        await using var again = Start();
        await WaitAsync(again, lastAt: Interval);

        Assert.Equal(2, Files.Length);
        Assert.Equal(good, Files[0]);
    }

    [Fact]
    public async Task Backup_without_a_document_does_not_match_its_count()
    {
        string path = await BackUpAsync();
        await ChangeAsync(path, null);

        var damage = await Assert.ThrowsAsync<StorageException>(() => VerifyAsync(path));

        Assert.Equal(StorageError.Corrupt, damage.Error);
        Assert.Contains("the keyspace 'cakes' has 0 documents, which do not match its count (1)", damage.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Truncated_backup_is_refused()
    {
        string path = await BackUpAsync();
        using (var file = new FileStream(path, FileMode.Open))
            file.SetLength(file.Length - 4096);

        Assert.Equal(StorageError.Corrupt, (await Assert.ThrowsAsync<StorageException>(() => VerifyAsync(path))).Error);
    }

    [Fact]
    public async Task Backup_of_another_store_is_refused()
    {
        await using var other = await Fixture.StartAsync(1, options => options.UseSqlite(Path.Combine(_root, "pies.db")));
        _disk.Written = async path =>
        {
            File.Delete(path);
            await ((IDurableStorage)other[1].Storage!).BackUpAsync(path, Canceled);
        };

        var refusal = await Assert.ThrowsAsync<StorageException>(BackUpAsync);

        Assert.Equal(StorageError.Foreign, refusal.Error);
        Assert.Empty(Files);
    }

    [Fact]
    public async Task Backup_that_lacks_earlier_writes_is_refused()
    {
        string old = await BackUpAsync();
        await PutAsync(2);
        _disk.Written = path =>
        {
            File.Copy(old, path, overwrite: true);
            return Task.CompletedTask;
        };
        _time.Advance(Interval);

        var refusal = await Assert.ThrowsAsync<StorageException>(BackUpAsync);

        Assert.Contains("the transactions of node 1 end before", refusal.Message, StringComparison.Ordinal);
        Assert.Single(Files);
    }

    [Fact]
    public async Task Node_makes_backups_and_shows_them_in_its_status_and_its_metrics()
    {
        var ages = new List<(string Name, double Value)>();
        using var listener = new MeterListener
        {
            InstrumentPublished = static (instrument, listener) =>
            {
                if (instrument.Meter.Name == BackupScheduler.MeterName)
                    listener.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<double>((instrument, value, _, _) => ages.Add((instrument.Name, value)));
        listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => ages.Add((instrument.Name, value)));
        listener.Start();
        await using var cluster = await Fixture.StartAsync(1, options => options.UseSqlite(Path.Combine(_root, "pies.db")).WithBackups(backups =>
        {
            backups.Folder = Folder;
            backups.TimesOfDay = [TimeOnly.FromDateTime(DateTime.UtcNow)];
        }));
        var client = cluster.ClientOf(1);
        await Eventually.WaitUntilAsync(async () => (await client.GetStatusAsync(Canceled)).Backups?.LastAt is not null, "the first backup is made");

        var status = await client.GetStatusAsync(Canceled);
        lock (ages)
        {
            ages.Clear();
            listener.RecordObservableInstruments();
            Assert.Contains(ages, age => age is { Name: "datacake.backup.age", Value: >= 0 and < 3_600 });
            Assert.Contains(("datacake.backup.size", (double)status.Backups!.LastBytes!.Value), ages);
        }

        Assert.Equal((Folder, Assert.Single(Files)), (status.Backups!.Folder, status.Backups.LastFile));
        Assert.True(status.Backups.NextAt > status.Backups.LastAt);
        Assert.Empty(status.Findings);
    }

    [Fact]
    public async Task Failing_backups_are_findings_of_the_node()
    {
        await using var cluster = await Fixture.StartAsync(1, options => options.UseSqlite(Path.Combine(_root, "pies.db")).WithBackups(backups =>
        {
            backups.Folder = Path.Combine(_root, "missing");
            backups.Interval = TimeSpan.FromHours(1);
        }));

        await Eventually.WaitUntilAsync(async () => (await cluster.ClientOf(1).GetStatusAsync(Canceled)).Findings.Any(static finding => finding.Code == "backup-failed"), "it is found");
        var codes = new List<string>();
        using var listener = new MeterListener
        {
            InstrumentPublished = static (instrument, listener) =>
            {
                if (instrument.Name == "datacake.findings")
                    listener.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<int>((_, _, tags, _) => codes.Add($"{tags[1].Value} {tags[2].Value}"));
        listener.Start();
        listener.RecordObservableInstruments();
        Assert.Contains("backup-failed Warning", codes);
    }

    [Fact]
    public async Task Node_in_memory_refuses_backups()
    {
        var refusal = await Assert.ThrowsAsync<InvalidOperationException>(() => Fixture.StartAsync(1, options => options.UseMemory().WithBackups(backups =>
        {
            backups.Folder = Folder;
            backups.Interval = TimeSpan.FromHours(1);
        })));

        Assert.Contains("has its data in memory", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Operator_keeps_a_number_of_verified_backups_in_a_folder()
    {
        var client = _cluster.ClientOf(1);
        for (int i = 0; i < 3; i++)
            Assert.Contains("verified, with 1 documents", (await client.BackUpAsync(Folder, verify: true, keep: 2, Canceled)).Message, StringComparison.Ordinal);

        Assert.Equal(2, Files.Length);
        Assert.Contains("Keep at least 1", (await Assert.ThrowsAsync<AdministrationException>(() => client.BackUpAsync(Folder, verify: true, keep: 0, Canceled))).Message, StringComparison.Ordinal);
        Assert.Contains("pass a folder that exists", (await Assert.ThrowsAsync<AdministrationException>(() => client.BackUpAsync(Path.Combine(Folder, "none"), verify: true, keep: 2, Canceled))).Message, StringComparison.Ordinal);
        Assert.Contains("already exists", (await Assert.ThrowsAsync<AdministrationException>(() => client.BackUpAsync(Files[0], verify: true, keep: null, Canceled))).Message, StringComparison.Ordinal);
        Assert.Equal(2, Files.Length);
    }

    BackupScheduler Start(Action<BackupOptions>? configure = null)
    {
        var options = new BackupOptions { Folder = Folder, Interval = Interval, RetryAfter = RetryAfter };
        configure?.Invoke(options);
        options.Validate();
        return new BackupScheduler(new BackupWriter(_disk, 1, "datacake", "", _time, _log), options, Task.CompletedTask, _log);
    }

    Task<CommandResult> PutAsync(int key) => _cluster.ClientOf(1).PutAsync("cakes", Fixture.Json($"{key}"), Fixture.Json("""{"Name":"Madeira"}"""), Canceled);

    async Task<string> BackUpAsync()
    {
        using var writer = new BackupWriter(_disk, 1, "datacake", "", _time, _log);
        return (await writer.WriteToFolderAsync(Folder, verify: true, keep: null, keepFor: null, Canceled)).Path;
    }

    static async Task<Contracts.BackupVerification> VerifyAsync(string path)
    {
        await using var backup = await SqliteStorage.OpenBackupAsync(path, Canceled);
        return await BackupVerifier.VerifyAsync(path, backup, original: null, Canceled);
    }

    /// <summary>Changes or deletes the record of the document of a backup, so that SQLite notices nothing.</summary>
    static async Task ChangeAsync(string path, Action<byte[]>? change)
    {
        await using (var storage = new SqliteStorage(path))
        {
            using var snapshot = await storage.OpenSnapshotAsync(Canceled);
            var (key, stored) = Assert.Single(await snapshot.ScanAsync(StoreLayout.AllDocuments, ScanDirection.Forward, 10, Canceled));
            byte[] value = stored.ToArray();
            var batch = new WriteBatch();
            if (change is null)
            {
                batch.Delete(key);
            }
            else
            {
                change(value);
                batch.Put(key, value);
            }
            await storage.CommitAsync(batch, Durability.Flushed, Canceled);
        }
        File.Delete(path + ".lock");
    }

    static MeterListener ListenTo(List<(string Name, string Outcome)> measured)
    {
        var listener = new MeterListener
        {
            InstrumentPublished = static (instrument, listener) =>
            {
                if (instrument.Meter.Name == BackupScheduler.MeterName && instrument.Name == "datacake.backups")
                    listener.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((instrument, _, tags, _) => measured.Add((instrument.Name, (string)tags[1].Value!)));
        listener.Start();
        return listener;
    }

    /// <summary>Waits until a backup was made at a time after the start, and the scheduler waits for the next one.</summary>
    async Task WaitAsync(BackupScheduler scheduler, TimeSpan lastAt)
    {
        var expected = new DateTimeOffset(2026, 12, 1, 8, 0, 0, TimeSpan.Zero) + lastAt;
        await Eventually.WaitUntilAsync(() => scheduler.Status is { LastAt: { } last, Failure: null } && last == expected, $"a backup of {expected} is made, and not of {scheduler.Status}");
        await WaitForPauseAsync(scheduler);
    }

    Task WaitForPauseAsync(BackupScheduler scheduler) => Eventually.WaitUntilAsync(
        () => scheduler.Status.NextAt > _time.GetUtcNow() && _time.CountDueIn(Min(Pause, scheduler.Status.NextAt - _time.GetUtcNow())) > 0, $"the scheduler waits, but has {scheduler.Status}");

    /// <summary>Moves the clock in steps as long as the pauses of the scheduler.</summary>
    async Task AdvanceAsync(BackupScheduler scheduler, TimeSpan time)
    {
        for (var left = time; left > TimeSpan.Zero;)
        {
            await WaitForPauseAsync(scheduler);
            var step = Min(left, Min(Pause, scheduler.Status.NextAt - _time.GetUtcNow()));
            _time.Advance(step);
            left -= step;
        }
    }

    static TimeSpan Min(TimeSpan left, TimeSpan right) => left < right ? left : right;
}
