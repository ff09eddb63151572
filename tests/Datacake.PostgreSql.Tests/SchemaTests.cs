using Datacake.Storage;
using Datacake.Tests;

namespace Datacake.PostgreSql.Tests;

/// <summary>Tests of the schema of a store, and of the access to it.</summary>
public sealed class SchemaTests
{
    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    readonly string _schema = $"schema {Guid.NewGuid():N}";

    [Fact]
    public async Task Schema_is_created_with_any_name()
    {
        string schema = $"O'Neil \"quoted\" ä {Guid.NewGuid():N}"[..40];
        await using (var storage = TestServer.Open(schema))
        {
            await storage.PutAsync("a", "1");
            Assert.Equal("1", await storage.GetAsync("a"));
            Assert.Contains(schema, storage.Description, StringComparison.Ordinal);
        }
        await using var again = TestServer.Open(schema);
        Assert.Equal("1", await again.GetAsync("a"));
        await again.CompactAsync(Cancellation);
        await again.CheckAsync(Cancellation);
        Assert.Equal("1", await again.GetAsync("a"));
    }

    [Fact]
    public async Task Stores_in_schemas_of_one_database_are_independent()
    {
        await using var first = TestServer.Open(_schema + "1");
        await using var second = TestServer.Open(_schema + "2");
        await first.PutAsync("a", "1");
        await second.PutAsync("a", "2");
        Assert.Equal("1", await first.GetAsync("a"));
        Assert.Equal("2", await second.GetAsync("a"));
    }

    [Fact]
    public async Task Empty_schema_of_an_administrator_is_used()
    {
        await TestServer.QueryAsync($"CREATE SCHEMA \"{_schema}\" AUTHORIZATION datacake");
        await using var storage = TestServer.Open(_schema);
        await storage.PutAsync("a", "1");
    }

    [Fact]
    public async Task Store_of_a_newer_format_is_refused_by_name_and_left_unchanged()
    {
        await using (var storage = TestServer.Open(_schema))
            await storage.PutAsync("a", "1");
        await TestServer.QueryAsync($"UPDATE \"{_schema}\".datacake_store SET format = {StoreFormat.Version + 1}");
        string before = await RowAsync();
        StorageException refusal = Assert.Throws<StorageException>(() => TestServer.Open(_schema));
        Assert.Equal(StorageError.NewerFormat, refusal.Error);
        Assert.Contains($"format version {StoreFormat.Version + 1}", refusal.Message, StringComparison.Ordinal);
        Assert.Contains(_schema, refusal.Message, StringComparison.Ordinal);
        Assert.Equal(before, await RowAsync());

        Task<string> RowAsync() => TestServer.QueryAsync($"SELECT * FROM \"{_schema}\".datacake_store");
    }

    [Theory]
    [InlineData("theirs")]
    [InlineData("datacake_store")]
    public async Task Schema_of_another_program_is_refused_and_left_unchanged(string table)
    {
        await TestServer.QueryAsync($"CREATE SCHEMA \"{_schema}\" AUTHORIZATION datacake; CREATE TABLE \"{_schema}\".{table} (x int)");
        StorageException refusal = Assert.Throws<StorageException>(() => TestServer.Open(_schema));
        Assert.Equal(StorageError.Foreign, refusal.Error);
        Assert.Contains(table, refusal.Message, StringComparison.Ordinal);
        Assert.Equal(table, await TestServer.QueryAsync($"SELECT relname FROM pg_class WHERE relnamespace = '\"{_schema}\"'::regnamespace AND relkind = 'r'"));
    }

    [Fact]
    public async Task Missing_rights_are_reported_with_the_remedy()
    {
        await TestServer.QueryAsync($"CREATE SCHEMA \"{_schema}\"");
        StorageException refusal = Assert.Throws<StorageException>(() => TestServer.Open(_schema));
        Assert.Equal(StorageError.Inaccessible, refusal.Error);
        Assert.Contains("Grant the user", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Database=datacake", "Database=none", "Create the database")]
    [InlineData("Password=", "Password=not-", "Check the user and the password")]
    [InlineData("Username=datacake", "Username=postgres;Options=-c default_transaction_read_only=on", "Connect to the primary server")]
    public void Wrong_connection_is_reported_with_the_remedy_and_without_the_password(string part, string wrong, string remedy)
    {
        string connectionString = TestServer.ConnectionString.Replace(part, wrong, StringComparison.Ordinal);
        StorageException refusal = Assert.Throws<StorageException>(() => new PostgreSqlStorage(connectionString, options => options.Schema = _schema));
        Assert.Equal(StorageError.Inaccessible, refusal.Error);
        Assert.Contains(remedy, refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(PostgreSqlServer.Password, $"{refusal}", StringComparison.Ordinal);
    }

    [Fact]
    public async Task Index_that_misses_an_entry_is_found_by_the_check()
    {
        await using var storage = TestServer.Open(_schema);
        for (int i = 0; i < 10; i++)
            await storage.PutAsync($"{i}", "1");
        await storage.CheckAsync(Cancellation);
        // An index that is marked as not ready gets no new entries, as if some had been lost.
        await SetReadyAsync(false);
        await TestServer.QueryAsync($"INSERT INTO \"{_schema}\".datacake_entries_1 VALUES ('later', '1')");
        await SetReadyAsync(true);
        StorageException damage = await Assert.ThrowsAsync<StorageException>(async () => await storage.CheckAsync(Cancellation));
        Assert.Equal(StorageError.Corrupt, damage.Error);
        Assert.Contains("11 entries", damage.Message, StringComparison.Ordinal);
        Assert.Contains("10 entries", damage.Message, StringComparison.Ordinal);

        Task<string> SetReadyAsync(bool isReady) => TestServer.QueryAsync(
            $"UPDATE pg_index SET indisready = {isReady}, indislive = {isReady} WHERE indrelid = '\"{_schema}\".datacake_entries_1'::regclass");
    }

    [Fact]
    public async Task Table_that_a_snapshot_reads_is_dropped_after_the_snapshot()
    {
        await using var storage = new PostgreSqlStorage(TestServer.ConnectionString, options => (options.Schema, options.LeaseDuration) = (_schema, TimeSpan.FromSeconds(1)));
        await storage.PutAsync("a", "1");
        using (IStorageSnapshot snapshot = await storage.OpenSnapshotAsync(Cancellation))
        {
            await storage.CompactAsync(Cancellation);
            Assert.Equal("2", await TablesAsync());
            Assert.NotNull(await snapshot.GetAsync(Entries.Bytes("a"), Cancellation));
        }
        await Eventually.WaitUntilAsync(async () => await TablesAsync() == "1", "the former table is dropped");
        Assert.Equal("1", await storage.GetAsync("a"));

        Task<string> TablesAsync() => TestServer.QueryAsync($"SELECT count(*) FROM pg_tables WHERE schemaname = '{_schema}' AND tablename LIKE 'datacake_entries%'");
    }

    [Fact]
    public async Task Idle_store_holds_no_transaction_open()
    {
        await using var storage = TestServer.Open(_schema);
        await storage.PutAsync("a", "1");
        Assert.Equal("1", await storage.GetAsync("a"));
        await Eventually.WaitUntilAsync(
            async () => await TestServer.QueryAsync($"SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction' AND query LIKE '%{_schema}%'") == "0",
            "the transaction of the reader ends");
        await storage.PutAsync("a", "2");
        Assert.Equal("2", await storage.GetAsync("a"));
    }

    [Fact]
    public async Task Large_batch_is_committed_as_one()
    {
        await using var storage = TestServer.Open(_schema);
        var batch = new WriteBatch();
        for (int i = 0; i < 30_000; i++)
            batch.Put(Entries.Bytes($"{i:D6}"), new byte[i % 1000 == 0 ? 3_000_000 : 100]);
        await storage.CommitAsync(batch, Durability.Flushed, Cancellation);
        Assert.Equal("30000|1", await TestServer.QueryAsync($"SELECT count(*), count(DISTINCT xmin::text) FROM \"{_schema}\".datacake_entries_1"));
        using IStorageSnapshot snapshot = await storage.OpenSnapshotAsync(Cancellation);
        int found = 0;
        KeyRange range = KeyRange.All;
        while (await snapshot.ScanAsync(range, ScanDirection.Forward, int.MaxValue, Cancellation) is { Count: > 0 } page)
        {
            // A page is limited in its size.
            Assert.InRange(page.Sum(entry => entry.Value.Length), 0, 5_000_000);
            found += page.Count;
            range = range.After(page[^1].Key);
        }
        Assert.Equal(30_000, found);
    }
}
