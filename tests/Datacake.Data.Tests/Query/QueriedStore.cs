using System.Globalization;
using Datacake.Lmdb;
using Datacake.Node;
using Datacake.Sqlite;
using Datacake.Storage;

namespace Datacake.Data.Tests.Query;

/// <summary>The base class of differential tests. DATACAKE_QUERIES sets the number of their queries.</summary>
public abstract class QueriedStore : IDisposable
{
    readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("datacake-queries-");

    protected static int Count { get; } = int.TryParse(
        Environment.GetEnvironmentVariable("DATACAKE_QUERIES"), CultureInfo.InvariantCulture, out int count)
        ? count
        : 700;

    public static TheoryData<string> Providers { get; } = ["memory", "SQLite", "LMDB"];

    protected static CancellationToken Token => TestContext.Current.CancellationToken;

    protected ValueTask<DatacakeNode> StartAsync(string provider, Action<DatacakeNodeOptions>? configure = null) => DatacakeNode.StartAsync(
        options =>
        {
            Use(provider, options.WithNodeId(1).ListenOn("127.0.0.1:0"));
            configure?.Invoke(options);
        },
        Token);

    /// <summary>Runs a comparison for each seed.</summary>
    protected static async Task CompareAll(int count, Func<Random, Task> compare)
    {
        for (int seed = 0; seed < count; seed++)
        {
            try
            {
                await compare(new Random(seed));
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                throw new InvalidOperationException($"The comparison of seed {seed} failed. {e.Message}", e);
            }
        }
    }

    public void Dispose()
    {
        _directory.Delete(recursive: true);
        GC.SuppressFinalize(this);
    }

    void Use(string provider, DatacakeNodeOptions options) => _ = provider switch
    {
        "SQLite" => options.UseSqlite(Path.Combine(_directory.FullName, "queries.db")),
        "LMDB" => options.UseLmdb(Path.Combine(_directory.FullName, "queries.lmdb")),
        _ => options.UseMemory(),
    };
}
