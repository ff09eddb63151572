using Datacake.Storage;
using Datacake.Storage.Specification;

namespace Datacake.Lmdb.Tests;

public sealed class LmdbStorageOptionsTests : IDisposable
{
    readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    public static TheoryData<string, Action<LmdbStorageOptions>> Mistakes => new()
    {
        { nameof(LmdbStorageOptions.MapBytes), options => options.MapBytes = 0 },
        { nameof(LmdbStorageOptions.MaxFileBytes), options => options.MaxFileBytes = 1 },
        { nameof(LmdbStorageOptions.MaxSnapshots), options => options.MaxSnapshots = 0 },
        { nameof(LmdbStorageOptions.MaxSnapshots), options => options.MaxSnapshots = int.MaxValue },
    };

    [Theory]
    [MemberData(nameof(Mistakes), DisableDiscoveryEnumeration = true)]
    public void An_option_out_of_range_is_refused_by_name_and_no_file_is_created(string name, Action<LmdbStorageOptions> mistake)
    {
        string path = _directory["store.db"];
        var options = new LmdbStorageOptions();
        mistake(options);
        Assert.Equal(name, Assert.ThrowsAny<ArgumentException>(() => new LmdbStorage(path, options)).ParamName);
        Assert.Equal(name, Assert.ThrowsAny<ArgumentException>(() => new Choice().UseLmdb(path, mistake)).ParamName);
        Assert.False(File.Exists(path));
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    public void A_path_is_required(string path)
    {
        Assert.Throws<ArgumentException>(() => new LmdbStorage(path));
        Assert.Throws<ArgumentException>(() => new Choice().UseLmdb(path));
    }

    [Fact]
    public async Task UseLmdb_opens_the_file_lazily_with_the_given_options()
    {
        string path = _directory["store.db"];
        var choice = new Choice();
        Assert.Same(choice, choice.UseLmdb(path, options => options.MaxSnapshots = 1));
        Assert.False(File.Exists(path));
        await using IStorage storage = choice.Open!();
        Assert.IsType<LmdbStorage>(storage);
        using IStorageSnapshot only = await storage.OpenSnapshotAsync(TestContext.Current.CancellationToken);
        await Assert.ThrowsAsync<StorageException>(async () => await storage.OpenSnapshotAsync(TestContext.Current.CancellationToken));
    }

    sealed class Choice : IStorageChoice
    {
        public Func<IStorage>? Open { get; private set; }

        public void UseStorage(Func<IStorage> open) => Open = open;

        public void AddKind(StorageKind kind) => throw new NotSupportedException();
    }
}
