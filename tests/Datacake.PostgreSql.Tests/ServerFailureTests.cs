using Datacake.Storage;
using Datacake.Tests;

namespace Datacake.PostgreSql.Tests;

/// <summary>Tests that stop and crash a server, which therefore is their own.</summary>
public sealed class ServerFailureTests(ServerFailureTests.Fixture fixture) : IClassFixture<ServerFailureTests.Fixture>
{
    const int EntriesOfBatch = 10;

    readonly string _schema = $"failure_{Guid.NewGuid():N}";

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    PostgreSqlServer Server => fixture.Server;

    string Table => $"{_schema}.datacake_entries_1";

    [Fact]
    public async Task Store_continues_after_the_server_has_restarted()
    {
        await using var storage = Open();
        await storage.PutAsync("a", "1", Durability.Buffered);
        using IStorageSnapshot unread = await storage.OpenSnapshotAsync(Cancellation);
        await Server.StopAsync();
        Task commit = storage.PutAsync("a", "2");
        Task<string?> read = storage.GetAsync("a");
        await Server.ResumeAsync();
        await commit;
        Assert.Contains(await read, (string[])["1", "2"]);
        Assert.Equal("2", await storage.GetAsync("a"));
        await storage.PutAsync("b", "1", Durability.Buffered);
        Assert.Equal(["a", "b"], await storage.KeysAsync());
    }

    [Fact]
    public async Task Flushed_batches_survive_a_crash_of_the_server()
    {
        await using var storage = Open();
        for (int i = 0; i < 5; i++)
        {
            await storage.PutAsync($"{i}", "buffered", Durability.Buffered);
            await storage.PutAsync($"{i}", "flushed", Durability.Flushed);
            await Server.CrashAsync();
            await Server.ResumeAsync();
            // The server alone, before the store connects again.
            Assert.Equal($"{2 * (i + 1)}|{i + 1}", await Server.QueryAsync($"SELECT max(commits), (SELECT count(*) FROM {Table} WHERE value = 'flushed') FROM {_schema}.datacake_store"));
        }
    }

    [Fact]
    public async Task Buffered_batches_that_a_crash_of_the_server_has_lost_are_committed_again()
    {
        await using var storage = Open(TimeSpan.FromMinutes(10));
        await storage.PutAsync("a", "1");
        for (int i = 0; i < 5; i++)
            await storage.PutAsync($"{i}", "1", Durability.Buffered);
        var batch = new WriteBatch();
        batch.Delete(Entries.Bytes("0"));
        await storage.CommitAsync(batch, Durability.Buffered, Cancellation);
        await Server.CrashAsync();
        await Server.ResumeAsync();
        Assert.Equal("1", await CommitsAsync());

        Assert.Equal(["1", "2", "3", "4", "a"], await storage.KeysAsync());
        Assert.Equal("7", await CommitsAsync());
        await Server.CrashAsync();
        await Server.ResumeAsync();
        Assert.Equal("7", await CommitsAsync());
        await storage.PutAsync("b", "1");
        Assert.Equal(["1", "2", "3", "4", "a", "b"], await storage.KeysAsync());
    }

    [Fact]
    public async Task Acknowledged_batches_survive_crashes_of_the_server_during_commits_and_no_batch_is_torn()
    {
        await using var storage = Open();
        using var stop = new CancellationTokenSource();
        int acknowledged = 0;
        Task writing = Task.Run(
            async () =>
            {
                while (!stop.IsCancellationRequested)
                {
                    int number = acknowledged + 1;
                    var batch = new WriteBatch();
                    for (int i = 0; i < EntriesOfBatch; i++)
                        batch.Put(Entries.Bytes($"{number:D6}/{i}"), new byte[300]);
                    await storage.CommitAsync(batch, number % 5 == 0 ? Durability.Flushed : Durability.Buffered, Cancellation);
                    Volatile.Write(ref acknowledged, number);
                }
            },
            Cancellation);
        for (int crash = 0; crash < 5; crash++)
        {
            int before = Volatile.Read(ref acknowledged);
            await Eventually.WaitUntilAsync(() => Volatile.Read(ref acknowledged) > before + 50 || writing.IsFaulted, "batches are committed");
            await Server.CrashAsync();
            await Server.ResumeAsync();
        }
        await stop.CancelAsync();
        await writing;
        IEnumerable<string> expected = Enumerable.Range(1, acknowledged).SelectMany(number => Enumerable.Range(0, EntriesOfBatch).Select(i => $"{number:D6}/{i}"));
        Assert.Equal(expected, await storage.KeysAsync());
        Assert.Equal($"{acknowledged}", await CommitsAsync());
    }

    [Fact]
    public async Task Store_that_has_lost_flushed_batches_is_refused_until_it_is_opened_again_and_has_the_mark()
    {
        await using (var storage = Open())
        {
            await storage.PutAsync("a", "1");
            await storage.PutAsync("b", "1");
            // As if the database had been replaced with an older copy.
            await Server.QueryAsync($"UPDATE {_schema}.datacake_store SET commits = 1; DELETE FROM {Table} WHERE key = 'b'");
            for (int i = 0; i < 2; i++)
            {
                StorageException refusal = await Assert.ThrowsAsync<StorageException>(() => storage.PutAsync("c", "1"));
                Assert.Contains("has lost 1 acknowledged commits", refusal.Message, StringComparison.Ordinal);
                await Assert.ThrowsAsync<StorageException>(() => storage.GetAsync("a"));
            }
        }
        await using var again = Open();
        Assert.Equal(["\0r", "a"], await again.KeysAsync());
    }

    [Fact]
    public async Task Closed_store_has_the_mark_after_a_failover_and_not_after_a_restart()
    {
        await using (var storage = Open())
            await storage.PutAsync("a", "1");
        await Server.StopAsync();
        await Server.ResumeAsync();
        await using (var storage = Open())
            Assert.Equal(["a"], await storage.KeysAsync());
        await Server.FailOverAsync();
        await using (var storage = Open())
            Assert.Equal(["\0r", "a"], await storage.KeysAsync());
    }

    [Fact]
    public async Task Open_store_continues_after_a_failover_that_has_lost_nothing()
    {
        await using (var storage = Open(TimeSpan.FromSeconds(1)))
        {
            await storage.PutAsync("a", "1");
            string before = await OriginAsync();
            await Server.FailOverAsync();
            await storage.PutAsync("b", "1");
            Assert.Equal(["a", "b"], await storage.KeysAsync());
            await Eventually.WaitUntilAsync(async () => await OriginAsync() != before, "the store has noted the timeline");
        }
        await using var again = Open();
        Assert.Equal(["a", "b"], await again.KeysAsync());
    }

    [Fact]
    public async Task Store_in_a_restored_copy_of_the_database_has_the_mark()
    {
        await using (var storage = Open())
            await storage.PutAsync("a", "1");
        string database = $"copy_{Guid.NewGuid():N}";
        await Server.CopyAsync(_schema, database);
        await using var copy = new PostgreSqlStorage(
            Server.ConnectionString.Replace("Database=datacake", $"Database={database}", StringComparison.Ordinal), options => options.Schema = _schema);
        Assert.Equal(["\0r", "a"], await copy.KeysAsync());
    }

    [Fact]
    public async Task Store_that_is_marked_as_restored_has_the_mark()
    {
        await using (var storage = Open())
        {
            await storage.PutAsync("a", "1");
            StorageException refusal = await Assert.ThrowsAsync<StorageException>(
                async () => await PostgreSqlStorage.MarkAsRestoredAsync(Server.ConnectionString, options => (options.Schema, options.OwnerTimeout) = (_schema, TimeSpan.Zero)));
            Assert.Equal(StorageError.AlreadyOpen, refusal.Error);
        }
        await PostgreSqlStorage.MarkAsRestoredAsync(Server.ConnectionString, options => options.Schema = _schema);
        await using var again = Open();
        Assert.Equal(["\0r", "a"], await again.KeysAsync());
    }

    [Fact]
    public async Task Store_can_be_opened_at_once_after_a_crash_of_both_when_its_lease_has_ended()
    {
        var storage = Open(TimeSpan.FromSeconds(1));
        await storage.PutAsync("a", "1");
        await Server.CrashAsync();
        await Server.ResumeAsync();
        // The owner is not told that it is closed. It does not connect, since nobody uses it.
        await using var successor = Open();
        Assert.Equal("1", await successor.GetAsync("a"));
        await Assert.ThrowsAsync<StorageException>(() => storage.PutAsync("a", "2"));
        await storage.DisposeAsync();
    }

    PostgreSqlStorage Open(TimeSpan? lease = null) => new(
        Server.ConnectionString, options => (options.Schema, options.LeaseDuration) = (_schema, lease ?? options.LeaseDuration));

    Task<string> CommitsAsync() => Server.QueryAsync($"SELECT commits FROM {_schema}.datacake_store");

    Task<string> OriginAsync() => Server.QueryAsync($"SELECT origin FROM {_schema}.datacake_store");

    public sealed class Fixture : IAsyncLifetime
    {
        PostgreSqlServer? _server;

        internal PostgreSqlServer Server
        {
            get
            {
                Assert.SkipWhen(_server is null, "PostgreSQL is not installed.");
                return _server!;
            }
        }

        public async ValueTask InitializeAsync()
        {
            // The server flushes what is buffered as late as it can.
            if (PostgreSqlServer.FindPrograms() is not null)
                _server = await PostgreSqlServer.StartAsync("wal_writer_delay=10s", "wal_writer_flush_after=1GB");
        }

        public async ValueTask DisposeAsync()
        {
            if (_server is not null)
                await _server.DisposeAsync();
        }
    }
}
