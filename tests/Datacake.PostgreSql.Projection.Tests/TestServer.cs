using System.Globalization;
using Datacake.Node;
using Datacake.PostgreSql.Projection.Tests;
using Datacake.PostgreSql.Projection.Writing;
using Datacake.Tests;
using Npgsql;

[assembly: AssemblyFixture(typeof(TestServer))]

namespace Datacake.PostgreSql.Projection.Tests;

/// <summary>The server of the tests of a run. Each test has a schema of its own.</summary>
public sealed class TestServer : IAsyncLifetime
{
    static PostgreSqlServer? _server;

    /// <summary>Gets the connection string of a user without special rights.</summary>
    public static string ConnectionString
    {
        get
        {
            Assert.SkipWhen(_server is null, "PostgreSQL is not installed.");
            return _server!.ConnectionString;
        }
    }

    static CancellationToken Token => TestContext.Current.CancellationToken;

    public static string NewSchema() => $"s{Guid.NewGuid():N}";

    /// <summary>Starts a projection of a node's context that moves and retries soon.</summary>
    public static Task<PostgreSqlProjection> StartAsync(DatacakeNode node, string schema, Action<ProjectionBuilder<ShopContext>> configure) =>
        PostgreSqlProjection.StartAsync(
            () => new ShopContext(node), ConnectionString,
            p =>
            {
                p.Schema(schema).LeaseDuration(TimeSpan.FromSeconds(1)).MaxRetryDelay(TimeSpan.FromMilliseconds(200));
                configure(p);
            },
            Token);

    /// <summary>Runs SQL, and returns the rows as lines with the values separated by bars.</summary>
    public static async Task<string> QueryAsync(string sql)
    {
        await using var source = NpgsqlDataSource.Create(ConnectionString);
        await using var command = source.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync(Token);
        var lines = new List<string>();
        while (await reader.ReadAsync(Token))
        {
            lines.Add(string.Join('|', Enumerable.Range(0, reader.FieldCount).Select(i => reader.IsDBNull(i) ? ""
                : reader.GetValue(i) is IFormattable value ? value.ToString(null, CultureInfo.InvariantCulture) : $"{reader.GetValue(i)}")));
        }
        return string.Join('\n', lines);
    }

    /// <summary>Ends the sessions that write the orders of a schema.</summary>
    public static Task<string> KillAsync(string schema) => QueryAsync(
        $"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{ProjectionDatabase.ApplicationNameOf("projection", schema, "Orders")}'");

    /// <summary>Waits until a query has a result.</summary>
    public static async Task WaitForAsync(string sql, string expected)
    {
        string seen = "";
        await Eventually.WaitUntilAsync(
            async () =>
            {
                try
                {
                    seen = await QueryAsync(sql);
                }
                catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidSchemaName or PostgresErrorCodes.UndefinedColumn)
                {
                    seen = e.MessageText;
                }
                return seen == expected;
            },
            () => $"{sql} gives\n{expected}\ninstead of\n{seen}");
    }

    public async ValueTask InitializeAsync()
    {
        if (PostgreSqlServer.FindPrograms() is not null)
            _server = await PostgreSqlServer.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
            await _server.DisposeAsync();
    }
}
