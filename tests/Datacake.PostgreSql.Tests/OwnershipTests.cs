using System.Diagnostics;
using System.Reflection;
using Datacake.Storage;
using Datacake.Tests;

namespace Datacake.PostgreSql.Tests;

public sealed class OwnershipTests
{
    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    readonly string _schema = $"ownership {Guid.NewGuid():N}";

    [Fact]
    public async Task Second_opener_is_told_the_owner_and_when_to_retry()
    {
        await using var owner = TestServer.Open(_schema);
        StorageException refusal = Assert.Throws<StorageException>(() => TestServer.Open(_schema));
        Assert.Equal(StorageError.AlreadyOpen, refusal.Error);
        Assert.Contains($"process {Environment.ProcessId} on {Environment.MachineName}", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("retry when its lease has ended, in", refusal.Message, StringComparison.Ordinal);
        await owner.PutAsync("a", "1");
    }

    [Fact]
    public async Task Opener_waits_for_an_owner_that_is_about_to_close()
    {
        var owner = TestServer.Open(_schema);
        await owner.PutAsync("a", "1");
        Task<PostgreSqlStorage> opening = Task.Run(
            () => new PostgreSqlStorage(TestServer.ConnectionString, options => (options.Schema, options.OwnerTimeout) = (_schema, TimeSpan.FromMinutes(1))), Cancellation);
        await owner.DisposeAsync();
        await using PostgreSqlStorage second = await opening;
        Assert.Equal("1", await second.GetAsync("a"));
    }

    [Fact]
    public async Task Former_owner_neither_commits_nor_reads_after_a_takeover()
    {
        await using var former = TestServer.Open(_schema);
        await former.PutAsync("a", "1");
        using IStorageSnapshot snapshot = await former.OpenSnapshotAsync(Cancellation);
        await EndLeaseAsync();

        await using var owner = TestServer.Open(_schema);
        await owner.PutAsync("a", "2");
        for (int i = 0; i < 2; i++)
        {
            StorageException refusal = await Assert.ThrowsAsync<StorageException>(() => former.PutAsync("a", "3"));
            Assert.Equal(StorageError.AlreadyOpen, refusal.Error);
            Assert.Contains($"was taken over by process {Environment.ProcessId} on {Environment.MachineName}", refusal.Message, StringComparison.Ordinal);
            Assert.Contains(_schema, refusal.Message, StringComparison.Ordinal);
            refusal = await Assert.ThrowsAsync<StorageException>(() => former.GetAsync("a"));
            Assert.Equal(StorageError.AlreadyOpen, refusal.Error);
        }
        Assert.Equal("2", await owner.GetAsync("a"));
        await owner.PutAsync("a", "4");
    }

    [Fact]
    public async Task Former_owner_that_still_has_its_session_commits_nothing()
    {
        await using var former = TestServer.Open(_schema);
        await former.PutAsync("a", "1");
        // As if the session of the former owner could not be ended, since another user has it.
        await TestServer.QueryAsync($"UPDATE \"{_schema}\".datacake_store SET epoch = epoch + 1, owner = 'another process', owner_since = now()");
        StorageException refusal = await Assert.ThrowsAsync<StorageException>(() => former.PutAsync("b", "1"));
        Assert.Equal(StorageError.AlreadyOpen, refusal.Error);
        Assert.Contains("was taken over by another process at", refusal.Message, StringComparison.Ordinal);
        Assert.Equal("1", await TestServer.QueryAsync($"SELECT count(*) FROM \"{_schema}\".datacake_entries_1"));
    }

    [Fact]
    public async Task Paused_process_that_continues_after_a_takeover_is_refused()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no signal that pauses a process.");
        string schema = _schema + TestServer.Paused;
        await using (TestServer.Open(schema)) { }
        using Process paused = StartOwner(schema);
        Task<string> errors = paused.StandardError.ReadToEndAsync(Cancellation);
        for (int i = 0; i < 20; i++)
            await paused.StandardOutput.ReadLineAsync(Cancellation);
        Signal(paused, "STOP");

        PostgreSqlStorage? storage = null;
        await Eventually.WaitUntilAsync(() => (storage = TryOpen(schema)) is not null, "the lease of the paused process ends");
        await using PostgreSqlStorage owner = storage!;
        await owner.PutAsync("owner", "second");
        List<string> keys = await owner.KeysAsync();
        Signal(paused, "CONT");

        string output = await errors;
        await paused.WaitForExitAsync(Cancellation);
        Assert.NotEqual(0, paused.ExitCode);
        Assert.Contains($"was taken over by process {Environment.ProcessId} on {Environment.MachineName}", output, StringComparison.Ordinal);
        Assert.Equal(keys, await owner.KeysAsync());
        await owner.PutAsync("owner", "still");
    }

    [Fact]
    public async Task Idle_owner_renews_its_lease()
    {
        await using var owner = new PostgreSqlStorage(
            TestServer.ConnectionString, options => (options.Schema, options.LeaseDuration) = (_schema, TimeSpan.FromSeconds(1)));
        string first = await LeaseAsync();
        await Eventually.WaitUntilAsync(async () => string.CompareOrdinal(await LeaseAsync(), first) > 0, "the lease is renewed");

        Task<string> LeaseAsync() => TestServer.QueryAsync($"SELECT extract(epoch FROM lease_ends)::numeric(20, 6) FROM \"{_schema}\".datacake_store");
    }

    static PostgreSqlStorage? TryOpen(string schema)
    {
        try
        {
            return TestServer.Open(schema);
        }
        catch (StorageException e) when (e.Error == StorageError.AlreadyOpen)
        {
            return null;
        }
    }

    Task<string> EndLeaseAsync() => TestServer.QueryAsync($"UPDATE \"{_schema}\".datacake_store SET lease_ends = now() - interval '1 second'");

    static Process StartOwner(string schema)
    {
        string host = Environment.ProcessPath!;
        string[] assembly = Path.GetFileNameWithoutExtension(host) == "dotnet" ? [Assembly.GetEntryAssembly()!.Location] : [];
        var start = new ProcessStartInfo(host, [.. assembly, "--own-storage", schema]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["DOTNET_DbgEnableMiniDump"] = "0";
        return Process.Start(start)!;
    }

    static void Signal(Process process, string signal)
    {
        using Process kill = Process.Start("kill", [$"-{signal}", $"{process.Id}"]);
        kill.WaitForExit();
        Assert.Equal(0, kill.ExitCode);
    }
}
