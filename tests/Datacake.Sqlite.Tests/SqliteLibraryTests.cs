using Datacake.Storage;
using Datacake.Storage.Specification;

namespace Datacake.Sqlite.Tests;

/// <summary>Tests of stores in applications that choose another SQLitePCLRaw provider.</summary>
public sealed class SqliteLibraryTests : IDisposable
{
    readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_store_uses_the_library_of_the_provider_that_the_application_has_chosen()
    {
        Assert.SkipUnless(ProviderProcess.TryLoadSystem(out nint system), "The operating system has no SQLite library.");
        string version = ProviderProcess.VersionOf(system);
        Assert.Equal(ProviderProcess.Works + version, await RunAsync(ProviderProcess.System));
    }

    [Fact]
    public async Task A_provider_whose_library_cannot_be_found_by_its_name_is_refused_by_name()
    {
        string output = await RunAsync(ProviderProcess.Unnamed);
        Assert.StartsWith($"{StorageError.EngineMissing}: ", output, StringComparison.Ordinal);
        Assert.Contains(_directory["store.db"], output, StringComparison.Ordinal);
        Assert.Contains("a library 'sqlite3' with SQLite 3.", output, StringComparison.Ordinal);
        Assert.False(File.Exists(_directory["store.db"]));
    }

    [Fact]
    public async Task An_open_store_keeps_its_library_when_the_application_chooses_another_provider() =>
        Assert.StartsWith(ProviderProcess.Works, await RunAsync(ProviderProcess.Later), StringComparison.Ordinal);

    async Task<string> RunAsync(string choice) =>
        (await ProviderProcess.RunAsync(choice, Path.GetDirectoryName(_directory["store.db"])!, TestContext.Current.CancellationToken)).Trim();
}
