using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Data.Tests.Serial;

public class SerialClusterTests
{
    [Fact]
    public async Task Saves_of_three_nodes_conflict_and_are_read_serially_by_each()
    {
        await using var cluster = await StartAsync(3);
        string id = await BankContext.OpenAccountAsync(cluster[1]);
        await using var second = BankContext.Of(cluster[2]);
        await using var third = BankContext.Of(cluster[3]);
        var account = (await second.Accounts.WithConsistency(Consistency.Serial).FindAsync([id], Token))!;
        var same = await third.Accounts.WithConsistency(Consistency.Serial).SingleAsync(known => known.Id == id, Token);
        Assert.Equal((100m, 100m), (account.Balance, same.Balance));

        account.Balance = 90;
        Assert.Equal(1, await second.SaveChangesAsync(Token));
        same.Balance = 80;
        var error = await Assert.ThrowsAsync<EntityConflictException>(() => third.SaveChangesAsync(Token));
        await third.Accounts.WithConsistency(Consistency.Serial).FindAsync([id], Token);
        await error.Entry.ReloadAsync(Token);
        Assert.Equal(90m, same.Balance);
        same.Balance = 80;
        Assert.Equal(1, await third.SaveChangesAsync(Token));
        await using var first = BankContext.Of(cluster[1]);
        Assert.Equal(80m, await first.Accounts.WithConsistency(Consistency.Serial).Where(known => known.Id == id).Select(known => known.Balance).SingleAsync(Token));
    }

    [Fact]
    public async Task Transfers_on_three_nodes_lose_no_money()
    {
        const int Transfers = 12;
        await using var cluster = await StartAsync(3);
        var ids = new List<string>();
        for (int i = 0; i < 3; i++)
            ids.Add(await BankContext.OpenAccountAsync(cluster[1]));
        await Task.WhenAll(Enumerable.Range(1, 3).Select(node => Task.Run(async () =>
        {
            var random = new Random(node);
            await using var db = BankContext.Of(cluster[node]);
            for (int i = 0; i < Transfers; i++)
            {
                string from = ids[random.Next(3)], to = ids[random.Next(3)];
                decimal amount = random.Next(1, 60);
                await db.RunSerialAsync(async () =>
                {
                    var (source, target) = ((await db.Accounts.FindAsync([from], Token))!, (await db.Accounts.FindAsync([to], Token))!);
                    if (source.Balance < amount)
                        return;
                    source.Balance -= amount;
                    target.Balance += amount;
                }, maxAttempts: 1000, Token);
            }
        }, Token)));
        for (int node = 1; node <= 3; node++)
        {
            await using var db = BankContext.Of(cluster[node]);
            var balances = await db.Accounts.WithConsistency(Consistency.Serial).Select(account => account.Balance).ToListAsync(Token);
            Assert.Equal((3, 300m, true), (balances.Count, balances.Sum(), balances.TrueForAll(balance => balance >= 0)));
        }
    }

    [Fact]
    public async Task Save_without_a_majority_is_refused_and_can_be_repeated()
    {
        await using var cluster = await StartAsync(3);
        string id = await BankContext.OpenAccountAsync(cluster[1]);
        await cluster.WaitUntilEqualAsync("BankAccounts");
        await using var db = BankContext.Of(cluster[3]);
        var account = (await db.Accounts.FindAsync([id], Token))!;
        await cluster.StopAsync(1);
        await cluster.StopAsync(2);
        account.Balance = 1;
        await Eventually.WaitUntilAsync(async () =>
        {
            try
            {
                await using var work = await db.BeginSerialAsync(Token);
                return false;
            }
            catch (NotEnoughNodesException)
            {
                return true;
            }
        }, "node 3 notices that the others are gone");
        var error = await Assert.ThrowsAsync<NotEnoughNodesException>(() => db.SaveChangesAsync(Token));
        Assert.Contains("Serial requires 2 of 3 voters", error.Message, StringComparison.Ordinal);
        Assert.Equal(EntityState.Modified, db.Entry(account).State);
        Assert.Equal(100m, await db.Accounts.AsNoTracking().Where(known => known.Id == id).Select(known => known.Balance).SingleAsync(Token));
        await cluster.StartAsync(1);
        Assert.Equal(1, await db.SaveChangesAsync(Token));
        await using var other = BankContext.Of(cluster[1]);
        Assert.Equal(1m, (await other.Accounts.WithConsistency(Consistency.Serial).FindAsync([id], Token))!.Balance);
    }

    [Fact]
    public async Task Seeds_of_nodes_that_start_together_are_added_once()
    {
        await using var cluster = await StartAsync(3);
        await Task.WhenAll(Enumerable.Range(1, 3).Select(node => Task.Run(async () =>
        {
            await using var db = new CurrencyContext(cluster[node]);
            Assert.Equal(2, await db.Currencies.CountAsync(Token));
        }, Token)));
    }

    /// <summary>Starts nodes, and waits until a majority of them is needed.</summary>
    internal static async Task<LocalCluster> StartAsync(int count)
    {
        var cluster = new LocalCluster();
        for (int node = 1; node <= count; node++)
            await cluster.StartAsync(node);
        for (int node = 1; node <= count; node++)
        {
            var store = await cluster[node].OpenStoreAsync(Token);
            await Eventually.WaitUntilAsync(() => store.SerialStatus is { Sequencer: not null } sequence && sequence.VoterCount == count, $"node {node} knows {count} voters and a sequencer");
        }
        return cluster;
    }

    static CancellationToken Token => TestContext.Current.CancellationToken;
}
