using Datacake.PostgreSql.Tests;
using Datacake.Tests;

[assembly: AssemblyFixture(typeof(TestServer))]

namespace Datacake.PostgreSql.Tests;

/// <summary>The server of the tests of a run. Each store has a schema of its own, which is named by the path that the specification gives it.</summary>
public sealed class TestServer : IAsyncLifetime
{
    // How the processes of the crash tests find the server.
    const string Variable = "DATACAKE_TEST_POSTGRESQL";

    /// <summary>The end of the name of a schema whose owner has a short lease.</summary>
    public const string Paused = "paused";

    // Servers whose tables are on a small disk. A server does not survive that its disk vanishes.
    static readonly List<PostgreSqlServer> Others = [];

    static PostgreSqlServer? _server;

    static PostgreSqlServer Server
    {
        get
        {
            Assert.SkipWhen(_server is null, "PostgreSQL is not installed.");
            return _server!;
        }
    }

    /// <summary>Gets the connection string of a user without special rights.</summary>
    public static string ConnectionString => Server.ConnectionString;

    /// <summary>Opens the store in the schema with a name.</summary>
    public static PostgreSqlStorage Open(string schema) => new(ConnectionString, options => Configure(options, schema));

    /// <summary>Opens the store in the process that a test kills or pauses.</summary>
    public static PostgreSqlStorage OpenInProcess(string schema) =>
        new(Environment.GetEnvironmentVariable(Variable)!, options =>
        {
            Configure(options, schema);
            if (schema.EndsWith(Paused, StringComparison.Ordinal))
                options.LeaseDuration = TimeSpan.FromSeconds(1);
        });

    /// <summary>Opens a store whose table is on a small disk, in a server of its own.</summary>
    public static PostgreSqlStorage OpenOnDisk(string path)
    {
        string disk = Path.GetDirectoryName(path)!;
        string space = Path.Combine(disk, "space");
        PostgreSqlServer? server = Others.Find(other => Directory.Exists(space) && File.ReadAllText(Path.Combine(disk, "server")) == other.Address);
        if (server is null)
        {
            Assert.SkipWhen(_server is null, "PostgreSQL is not installed.");
            server = Task.Run(CreateAsync).GetAwaiter().GetResult();
            Others.Add(server);
        }
        return new PostgreSqlStorage($"{server.ConnectionString};Options=-c default_tablespace=small", options => Configure(options, path));

        async Task<PostgreSqlServer> CreateAsync()
        {
            // Small disks are those of Linux.
            if (OperatingSystem.IsWindows())
                throw new PlatformNotSupportedException("Windows has no file system in memory.");
            PostgreSqlServer created = await PostgreSqlServer.StartAsync();
            Directory.CreateDirectory(space);
            // The user of the server needs the way to the folder, and the folder itself.
            File.SetUnixFileMode(Path.GetDirectoryName(disk)!, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
            await PostgreSqlServer.OwnAsync(space);
            await created.QueryAsync($"CREATE TABLESPACE small LOCATION '{space}'");
            await created.QueryAsync("GRANT CREATE ON TABLESPACE small TO PUBLIC");
            await File.WriteAllTextAsync(Path.Combine(disk, "server"), created.Address);
            return created;
        }
    }

    /// <summary>Runs SQL as the superuser.</summary>
    public static Task<string> QueryAsync(string sql) => Server.QueryAsync(sql);

    public async ValueTask InitializeAsync()
    {
        if (PostgreSqlServer.FindPrograms() is null)
            return;
        _server = await PostgreSqlServer.StartAsync();
        Environment.SetEnvironmentVariable(Variable, _server.ConnectionString);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (PostgreSqlServer other in Others)
            await other.DisposeAsync();
        if (_server is not null)
            await _server.DisposeAsync();
    }

    static void Configure(PostgreSqlStorageOptions options, string schema)
    {
        options.Schema = schema;
        options.MaxSnapshots = 128;
        // The tests of a second opener need not wait long.
        options.OwnerTimeout = TimeSpan.FromMilliseconds(500);
    }
}
