using Datacake.Storage;

namespace Datacake.PostgreSql.Tests;

public sealed class BrokenConnectionTests
{
    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    readonly string _schema = $"broken {Guid.NewGuid():N}";

    [Theory]
    [InlineData(Durability.Buffered)]
    [InlineData(Durability.Flushed)]
    public async Task Commit_whose_answer_is_lost_was_applied_once_and_succeeds(Durability durability)
    {
        await using Proxy proxy = Connect();
        await using PostgreSqlStorage storage = Open(proxy);
        await storage.PutAsync("a", "1", durability);
        proxy.BreakNext(Proxy.Break.BeforeAnswer);
        await storage.PutAsync("a", "2", durability);
        Assert.Equal(1, proxy.Breaks);
        Assert.Equal("2", await storage.GetAsync("a"));
        Assert.Equal("2", await CommitsAsync());
        await storage.PutAsync("a", "3", durability);
        Assert.Equal("3", await storage.GetAsync("a"));
        Assert.Equal("3", await CommitsAsync());
    }

    [Fact]
    public async Task Commit_that_did_not_reach_the_server_is_sent_again()
    {
        await using Proxy proxy = Connect();
        await using PostgreSqlStorage storage = Open(proxy);
        await storage.PutAsync("a", "1");
        proxy.BreakNext(Proxy.Break.BeforeRequest);
        await storage.PutAsync("a", "2");
        Assert.Equal(1, proxy.Breaks);
        Assert.Equal("2", await storage.GetAsync("a"));
        Assert.Equal("2", await CommitsAsync());
    }

    [Theory]
    [InlineData((int)Proxy.Break.BeforeAnswer, "2")]
    [InlineData((int)Proxy.Break.BeforeRequest, "1")]
    public async Task Unknown_outcome_is_reported_and_found_out_before_the_next_read(int moment, string expected)
    {
        await using Proxy proxy = Connect();
        await using PostgreSqlStorage storage = Open(proxy, TimeSpan.FromMilliseconds(300));
        await storage.PutAsync("a", "1");
        proxy.BreakNext((Proxy.Break)moment, thenDown: true);
        StorageException failure = await Assert.ThrowsAsync<StorageException>(() => storage.PutAsync("a", "2"));
        Assert.Equal(StorageError.Failed, failure.Error);
        Assert.Contains("outcome is unknown", failure.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<StorageException>(() => storage.GetAsync("a"));

        proxy.IsDown = false;
        Assert.Equal(expected, await storage.GetAsync("a"));
        Assert.Equal(expected, await CommitsAsync());
        await storage.PutAsync("a", "3");
        Assert.Equal("3", await storage.GetAsync("a"));
    }

    [Fact]
    public async Task Read_whose_connection_breaks_continues_on_another_one_while_nothing_is_committed()
    {
        await using Proxy proxy = Connect();
        await using PostgreSqlStorage storage = Open(proxy);
        await storage.PutAsync("a", "1");
        using IStorageSnapshot snapshot = await storage.OpenSnapshotAsync(Cancellation);
        using var page = new EntryPage();
        for (int i = 0; i < 3; i++)
        {
            Assert.NotNull(await snapshot.GetAsync(Entries.Bytes("a"), Cancellation));
            proxy.BreakNext((Proxy.Break)(1 + i % 2));
            await snapshot.ScanAsync(KeyRange.All, ScanDirection.Forward, 10, page, Cancellation);
            Assert.Equal(1, page.Count);
            Assert.Equal(i + 1, proxy.Breaks);
        }
    }

    [Fact]
    public async Task Read_of_an_older_snapshot_whose_connection_breaks_fails_and_a_new_snapshot_works()
    {
        await using Proxy proxy = Connect();
        await using PostgreSqlStorage storage = Open(proxy);
        await storage.PutAsync("a", "1");
        using (IStorageSnapshot snapshot = await storage.OpenSnapshotAsync(Cancellation))
        {
            await storage.PutAsync("a", "2");
            proxy.BreakNext(Proxy.Break.BeforeAnswer);
            for (int i = 0; i < 2; i++)
            {
                StorageException failure = await Assert.ThrowsAsync<StorageException>(async () => await snapshot.GetAsync(Entries.Bytes("a"), Cancellation));
                Assert.Contains("snapshot is lost", failure.Message, StringComparison.Ordinal);
                Assert.Contains("Open another one", failure.Message, StringComparison.Ordinal);
            }
        }
        Assert.Equal("2", await storage.GetAsync("a"));
    }

    [Fact]
    public async Task Session_that_waits_for_the_rest_of_a_commit_does_not_hold_up_its_successor()
    {
        await using PostgreSqlStorage storage = TestServer.Open(_schema);
        await storage.PutAsync("a", "1");
        // As if the first part of a message had arrived, and the rest were lost: the transaction of a session of the store stays open.
        await using var other = new Npgsql.NpgsqlConnection(TestServer.ConnectionString + ";Pooling=false");
        await other.OpenAsync(Cancellation);
        await other.ExecuteAsync($"BEGIN; UPDATE \"{_schema}\".datacake_store SET lease_ends = now() - interval '1 second', backend = pg_backend_pid(), "
            + "backend_started = (SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid())");
        await other.ExecuteAsync("COMMIT; BEGIN");
        await other.ExecuteAsync($"SELECT FROM \"{_schema}\".datacake_store FOR UPDATE");
        await using PostgreSqlStorage successor = TestServer.Open(_schema);
        await successor.PutAsync("a", "2");
        Assert.Equal("2", await successor.GetAsync("a"));
    }

    static Proxy Connect() => new(new Npgsql.NpgsqlConnectionStringBuilder(TestServer.ConnectionString).Port);

    PostgreSqlStorage Open(Proxy proxy, TimeSpan? reconnectTimeout = null) => new(
        new Npgsql.NpgsqlConnectionStringBuilder(TestServer.ConnectionString) { Port = proxy.Port }.ConnectionString,
        options => (options.Schema, options.ReconnectTimeout) = (_schema, reconnectTimeout ?? options.ReconnectTimeout));

    Task<string> CommitsAsync() => TestServer.QueryAsync($"SELECT commits FROM \"{_schema}\".datacake_store");
}
