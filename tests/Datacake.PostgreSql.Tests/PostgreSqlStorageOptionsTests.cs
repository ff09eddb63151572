using Datacake.Storage;
using Datacake.Tests;

namespace Datacake.PostgreSql.Tests;

public sealed class PostgreSqlStorageOptionsTests
{
    const string Unreachable = "Host=127.0.0.1;Port=1;Database=shop;Username=hub;Password=" + PostgreSqlServer.Password;

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string, Action<PostgreSqlStorageOptions>> Mistakes => new()
    {
        { nameof(PostgreSqlStorageOptions.Schema), options => options.Schema = " " },
        { nameof(PostgreSqlStorageOptions.Schema), options => options.Schema = "public" },
        { nameof(PostgreSqlStorageOptions.Schema), options => options.Schema = "pg_shop" },
        { nameof(PostgreSqlStorageOptions.Schema), options => options.Schema = new string('ä', 32) },
        { nameof(PostgreSqlStorageOptions.MaxSnapshots), options => options.MaxSnapshots = 0 },
        { nameof(PostgreSqlStorageOptions.SnapshotTimeout), options => options.SnapshotTimeout = TimeSpan.FromSeconds(-1) },
        { nameof(PostgreSqlStorageOptions.CommandTimeout), options => options.CommandTimeout = TimeSpan.Zero },
        { nameof(PostgreSqlStorageOptions.ReconnectTimeout), options => options.ReconnectTimeout = TimeSpan.FromDays(1) },
        { nameof(PostgreSqlStorageOptions.LeaseDuration), options => options.LeaseDuration = TimeSpan.FromMilliseconds(1) },
        { nameof(PostgreSqlStorageOptions.OwnerTimeout), options => options.OwnerTimeout = TimeSpan.MaxValue },
    };

    [Theory]
    [MemberData(nameof(Mistakes), DisableDiscoveryEnumeration = true)]
    public void An_option_out_of_range_is_refused_by_name(string name, Action<PostgreSqlStorageOptions> mistake)
    {
        Assert.Equal(name, Assert.ThrowsAny<ArgumentException>(() => new PostgreSqlStorage(Unreachable, mistake)).ParamName);
        Assert.Equal(name, Assert.ThrowsAny<ArgumentException>(() => new Choice().UsePostgreSql(Unreachable, mistake)).ParamName);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("Database=shop")]
    [InlineData("Host=db;Password=correct-horse;battery")]
    [InlineData("Host=db;Pasword=correct-horse")]
    [InlineData("Host=db;Port=correct-horse")]
    public void Invalid_connection_string_is_refused_and_not_shown(string connectionString)
    {
        foreach (Func<object> open in (Func<object>[])[() => new PostgreSqlStorage(connectionString), () => new Choice().UsePostgreSql(connectionString)])
        {
            ArgumentException refusal = Assert.ThrowsAny<ArgumentException>(open);
            Assert.Equal("connectionString", refusal.ParamName);
            Assert.DoesNotContain("horse", $"{refusal}", StringComparison.Ordinal);
            Assert.DoesNotContain("battery", $"{refusal}", StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task UsePostgreSql_opens_the_store_lazily_with_the_given_options()
    {
        string schema = $"options {Guid.NewGuid():N}";
        var choice = new Choice();
        Assert.Same(choice, choice.UsePostgreSql(TestServer.ConnectionString, options =>
        {
            options.Schema = schema;
            options.MaxSnapshots = 2;
            options.SnapshotTimeout = TimeSpan.FromMilliseconds(10);
        }));
        Assert.Equal("0", await TestServer.QueryAsync($"SELECT count(*) FROM pg_namespace WHERE nspname = '{schema}'"));
        await using IStorage storage = choice.Open!();
        Assert.IsType<PostgreSqlStorage>(storage);
        IStorageSnapshot first = await storage.OpenSnapshotAsync(Cancellation);
        using IStorageSnapshot second = await storage.OpenSnapshotAsync(Cancellation);
        StorageException refusal = await Assert.ThrowsAsync<StorageException>(async () => await storage.OpenSnapshotAsync(Cancellation));
        Assert.Contains(nameof(PostgreSqlStorageOptions.MaxSnapshots), refusal.Message, StringComparison.Ordinal);
        first.Dispose();
        using IStorageSnapshot third = await storage.OpenSnapshotAsync(Cancellation);
    }

    [Fact]
    public void Errors_name_host_database_and_schema_but_not_the_password()
    {
        StorageException refusal = Assert.Throws<StorageException>(() => new PostgreSqlStorage(Unreachable, options => options.Schema = "cakes"));
        Assert.Equal(StorageError.Failed, refusal.Error);
        foreach (string part in (string[])["127.0.0.1:1", "'shop'", "'cakes'", "Check that the server runs"])
            Assert.Contains(part, refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(PostgreSqlServer.Password, $"{refusal}", StringComparison.Ordinal);
    }

    sealed class Choice : IStorageChoice
    {
        public Func<IStorage>? Open { get; private set; }

        public void UseStorage(Func<IStorage> open) => Open = open;

        public void AddKind(StorageKind kind) => throw new NotSupportedException();
    }
}
