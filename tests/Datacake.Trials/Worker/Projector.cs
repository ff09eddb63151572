using System.Globalization;
using Datacake.Node;
using Datacake.PostgreSql.Projection;
using Datacake.Sqlite;

namespace Datacake.Trials.Worker;

/// <summary>The mode in which the program is a node that projects its sales, and changes them all the time, until it is killed. It ends with the process that has started it.</summary>
static class Projector
{
    const int Tasks = 8, Ids = 20_000;
    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    /// <summary>Gets the duration of a lease that soon passes to the next process.</summary>
    public static TimeSpan ShortLease => TimeSpan.FromSeconds(1);

    /// <summary>Gets the duration of a lease that a busy machine does not lose.</summary>
    public static TimeSpan LongLease => TimeSpan.FromSeconds(5);

    public static async Task<int> RunAsync(string folder, string port, string connectionString, string seed)
    {
        var node = await StartNodeAsync(folder, int.Parse(port, CultureInfo.InvariantCulture));
        _ = await StartAsync(node, connectionString, ShortLease);
        for (int task = 0; task < Tasks; task++)
            _ = ChangeAsync(node, new Random(HashCode.Combine(int.Parse(seed, CultureInfo.InvariantCulture), task)));
        using var input = new StreamReader(Console.OpenStandardInput());
        await input.ReadToEndAsync();
        Environment.Exit(0);
        return 0;
    }

    public static ValueTask<DatacakeNode> StartNodeAsync(string folder, int port) =>
        DatacakeNode.StartAsync(options => options.WithNodeId(1).ListenOn($"127.0.0.1:{port}").UseSqlite(Path.Combine(folder, "sales.db")));

    public static Task<PostgreSqlProjection> StartAsync(DatacakeNode node, string connectionString, TimeSpan lease) => PostgreSqlProjection.StartAsync(
        () => new SalesContext(node), connectionString, p => p.LeaseDuration(lease).MaxRetryDelay(TimeSpan.FromMilliseconds(500)).Table(static db => db.Sales));

    static async Task ChangeAsync(DatacakeNode node, Random random)
    {
        while (true)
        {
            await SalesContext.ChangeAsync(node, Sale.Of(random.Next(1, Ids), random.Next(1_000_000), DateTimeOffset.UtcNow), random.Next(4) == 0, CancellationToken.None);
            await Task.Delay(Pause);
        }
    }
}
