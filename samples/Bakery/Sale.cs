using Datacake.Data;
using Datacake.EventualConsistency;
using Datacake.Testing;

namespace Datacake.Bakery;

/// <summary>A way to sell cakes.</summary>
/// <param name="name">The name of the way, for the table.</param>
/// <param name="stock">Puts cakes on a shelf.</param>
/// <param name="buy">Buys cakes from a shelf. Returns the number that was sold, which is less than the wish if the shelf has no more.</param>
/// <param name="left">Returns what a node shows as left on all shelves.</param>
sealed class Sale(string name, Func<BakeryContext, int, int, Task> stock, Func<BakeryContext, int, int, Task<int>> buy, Func<BakeryContext, Task<IReadOnlyList<long>>> left)
{
    const int Shelves = 20, BuyersPerNode = 20, MaxWish = 20;

    static readonly TimeSpan MaxPartition = TimeSpan.FromMilliseconds(1_500);
    static readonly TimeSpan GiveUp = TimeSpan.FromMinutes(10);

    long _sold;
    long _lowest = long.MaxValue;

    public string Name => name;

    /// <summary>Gets the number of cakes that buyers have taken home.</summary>
    public long Sold => Interlocked.Read(ref _sold);

    /// <summary>Gets the lowest number of cakes that any node has ever shown on a shelf.</summary>
    public long Lowest => Interlocked.Read(ref _lowest);

    /// <summary>Gets what all nodes show as left in the end.</summary>
    public long Left { get; private set; }

    /// <summary>Gets the number of times that the cluster was parted.</summary>
    public int Partitions { get; private set; }

    /// <summary>Sells all cakes, while the cluster is parted again and again.</summary>
    /// <param name="cluster">The cluster.</param>
    /// <param name="cakes">The number of cakes.</param>
    /// <param name="random">The source of the partitions and the wishes.</param>
    public async Task RunAsync(TestCluster cluster, int cakes, Random random)
    {
        for (int shelf = 1; shelf <= Shelves; shelf++)
        {
            await using var db = new BakeryContext(cluster[0].Node);
            await stock(db, shelf, cakes / Shelves);
        }
        await cluster.WaitUntilSameAsync();

        using var closing = new CancellationTokenSource(GiveUp);
        using var soldOut = CancellationTokenSource.CreateLinkedTokenSource(closing.Token);
        var parting = PartAsync(cluster, random, soldOut.Token);
        var watching = Task.WhenAll(Enumerable.Range(0, cluster.Count).Select(node => Task.Run(() => WatchAsync(cluster, node, soldOut.Token))));
        await Task.WhenAll(Enumerable.Range(0, cluster.Count * BuyersPerNode).Select(buyer =>
        {
            var wishes = new Random(random.Next());
            return Task.Run(() => BuyAsync(cluster, buyer % cluster.Count, wishes, closing.Token));
        }));
        await soldOut.CancelAsync();
        await parting;
        await watching;
        cluster.Heal();
        await cluster.WaitUntilConnectedAsync();
        await cluster.WaitUntilSameAsync();
        await using var last = new BakeryContext(cluster[0].Node);
        Left = (await left(last)).Sum();
    }

    async Task BuyAsync(TestCluster cluster, int node, Random random, CancellationToken closing)
    {
        var isEmpty = new bool[Shelves + 1];
        while (!isEmpty[1..].All(static empty => empty) && !closing.IsCancellationRequested)
        {
            int shelf = random.Next(1, Shelves + 1);
            if (isEmpty[shelf])
                continue;
            try
            {
                await using var db = new BakeryContext(cluster[node].Node);
                int bought = await buy(db, shelf, random.Next(1, MaxWish + 1));
                Interlocked.Add(ref _sold, bought);
                isEmpty[shelf] = bought == 0;
            }
            catch (Exception e) when (e is NotEnoughNodesException or TimeoutException or BoundExceededException or EntityConflictException)
            {
                // Nothing was sold: this side of the partition cannot sell now, or has used up its part. The buyer comes again.
                await Task.Delay(50, CancellationToken.None);
            }
        }
    }

    /// <summary>Parts the cluster in two again and again.</summary>
    async Task PartAsync(TestCluster cluster, Random random, CancellationToken soldOut)
    {
        while (!soldOut.IsCancellationRequested)
        {
            int side = random.Next(1, (1 << cluster.Count) - 1);
            for (int first = 0; first < cluster.Count; first++)
            {
                for (int second = first + 1; second < cluster.Count; second++)
                {
                    if ((side >> first & 1) != (side >> second & 1))
                        cluster.Cut(first, second);
                }
            }
            Partitions++;
            await Task.Delay(MaxPartition * random.NextDouble(), CancellationToken.None);
            cluster.Heal();
            await Task.Delay(MaxPartition * random.NextDouble(), CancellationToken.None);
        }
    }

    /// <summary>Looks at what a node shows, all the time.</summary>
    async Task WatchAsync(TestCluster cluster, int node, CancellationToken soldOut)
    {
        while (!soldOut.IsCancellationRequested)
        {
            await using var db = new BakeryContext(cluster[node].Node);
            foreach (long shown in await left(db))
            {
                long lowest = Lowest;
                while (shown < lowest && Interlocked.CompareExchange(ref _lowest, shown, lowest) != lowest)
                    lowest = Lowest;
            }
            await Task.Delay(20, CancellationToken.None);
        }
    }
}
