using Datacake.Storage;
using Datacake.Storage.Specification;

namespace Datacake.Sqlite.Tests;

public sealed class SqliteStorageOptionsTests : IDisposable
{
    readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    public static TheoryData<string, Action<SqliteStorageOptions>> Mistakes => new()
    {
        { nameof(SqliteStorageOptions.CacheBytes), options => options.CacheBytes = 0 },
        { nameof(SqliteStorageOptions.PageSize), options => options.PageSize = 5000 },
        { nameof(SqliteStorageOptions.PageSize), options => options.PageSize = 131072 },
        { nameof(SqliteStorageOptions.MaxPooledReaders), options => options.MaxPooledReaders = -1 },
        { nameof(SqliteStorageOptions.CheckpointBytes), options => options.CheckpointBytes = 0 },
        { nameof(SqliteStorageOptions.MaxFileBytes), options => options.MaxFileBytes = 1 },
        { nameof(SqliteStorageOptions.BusyTimeout), options => options.BusyTimeout = TimeSpan.FromSeconds(-1) },
        { nameof(SqliteStorageOptions.BusyTimeout), options => options.BusyTimeout = TimeSpan.MaxValue },
    };

    [Theory]
    [MemberData(nameof(Mistakes), DisableDiscoveryEnumeration = true)]
    public void An_option_out_of_range_is_refused_by_name_and_no_file_is_created(string name, Action<SqliteStorageOptions> mistake)
    {
        string path = _directory["store.db"];
        var options = new SqliteStorageOptions();
        mistake(options);
        Assert.Equal(name, Assert.ThrowsAny<ArgumentException>(() => new SqliteStorage(path, options)).ParamName);
        Assert.Equal(name, Assert.ThrowsAny<ArgumentException>(() => new Choice().UseSqlite(path, mistake)).ParamName);
        Assert.False(File.Exists(path));
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    public void A_path_is_required(string path)
    {
        Assert.Throws<ArgumentException>(() => new SqliteStorage(path));
        Assert.Throws<ArgumentException>(() => new Choice().UseSqlite(path));
    }

    [Fact]
    public async Task UseSqlite_opens_the_file_lazily_with_the_given_options()
    {
        string path = _directory["store.db"];
        var choice = new Choice();
        Assert.Same(choice, choice.UseSqlite(path, options => options.PageSize = 8192));
        Assert.False(File.Exists(path));
        await using (IStorage storage = choice.Open!())
            Assert.IsType<SqliteStorage>(storage);
        using var connection = new Connection(path, writes: false, "test connection", new SqliteStorageOptions());
        Assert.Equal(8192, connection.QueryInteger("PRAGMA page_size"));
    }

    sealed class Choice : IStorageChoice
    {
        public Func<IStorage>? Open { get; private set; }

        public void UseStorage(Func<IStorage> open) => Open = open;

        public void AddKind(StorageKind kind) => throw new NotSupportedException();
    }
}
