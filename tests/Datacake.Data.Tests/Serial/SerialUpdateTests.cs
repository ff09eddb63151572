using Datacake.EventualConsistency;

namespace Datacake.Data.Tests.Serial;

public class SerialUpdateTests(StoreFixture store)
{
    [Fact]
    public async Task Update_of_a_query_keeps_what_the_version_does_not_know()
    {
        string branch = Guid.NewGuid().ToString("N"), first = await OpenAsync(branch), second = await OpenAsync(branch);
        await using (var old = new OldBankContext(store.Node))
        {
            var result = await old.Accounts.Where(account => account.Id == first || account.Id == second)
                .ExecuteUpdateAsync(set => set.SetProperty(account => account.Balance, account => account.Balance * 2), Consistency.None, Token);
            Assert.Equal((2, 2), (result.Count, result.Written));
        }
        await using var db = NewContext();
        Assert.Equal([("Ada", 200m), ("Ada", 200m)], (await db.Accounts.Where(account => account.Branch == branch).ToListAsync(Token)).Select(account => (account.Owner, account.Balance)));
    }

    [Fact]
    public async Task Delete_of_a_query_includes_dependents()
    {
        string branch = Guid.NewGuid().ToString("N"), id = await OpenAsync(branch), card = Guid.NewGuid().ToString("N");
        await using var db = NewContext();
        db.Add(new Card { Id = card, AccountId = id });
        await db.SaveChangesAsync(Token);
        db.ChangeTracker.Clear();
        var result = await db.Accounts.Where(account => account.Branch == branch).ExecuteDeleteAsync(Token);
        Assert.Equal((1, 2), (result.Count, result.Written));
        Assert.Null(await db.Accounts.FindAsync([id], Token));
        Assert.Null(await db.Cards.FindAsync([card], Token));
        Assert.Equal(0, await db.Accounts.Where(account => account.Branch == branch).ExecuteDeleteAsync(Token));
    }

    [Fact]
    public async Task Concurrent_updates_of_queries_all_count()
    {
        const int Workers = 5, Updates = 10;
        string branch = Guid.NewGuid().ToString("N"), id = await OpenAsync(branch);
        await Task.WhenAll(Enumerable.Range(0, Workers).Select(_ => Task.Run(async () =>
        {
            await using var db = NewContext();
            for (int i = 0; i < Updates; i++)
                await db.Accounts.Where(account => account.Branch == branch).ExecuteUpdateAsync(set => set.SetProperty(account => account.Balance, account => account.Balance + 1), Token);
        }, Token)));
        await using var shown = NewContext();
        Assert.Equal(100m + (Workers * Updates), (await shown.Accounts.FindAsync([id], Token))!.Balance);
    }

    [Fact]
    public async Task Merging_entities_are_updated_at_the_serial_level()
    {
        var remark = new Remark { Text = Guid.NewGuid().ToString("N") };
        await using var db = NewContext();
        db.Add(remark);
        await db.SaveChangesAsync(Token);
        var result = await db.Remarks.Where(known => known.Text == remark.Text)
            .ExecuteUpdateAsync(set => set.SetProperty(known => known.Version, known => known.Version + 2), Consistency.Serial, Token);
        Assert.Equal(1, result.Count);
        db.ChangeTracker.Clear();
        Assert.Equal(2, (await db.Remarks.FindAsync([remark.Id], Token))!.Version);
    }

    [Fact]
    public async Task Update_and_delete_that_search_more_than_the_sequencer_reads_check_what_they_have_found()
    {
        const int Accounts = 18;
        await using var cluster = new LocalCluster();
        var node = await cluster.StartAsync(1);
        await using var db = BankContext.Of(node);
        for (int i = 0; i < Accounts; i++)
        {
            db.Add(new Account { Id = $"{i:00}", Owner = new string('x', 1024 * 1024), Balance = i });
            await db.SaveChangesAsync(Token);
        }
        db.ChangeTracker.Clear();
        Assert.Equal(2, await db.Accounts.Where(account => account.Balance < 2).ExecuteUpdateAsync(set => set.SetProperty(account => account.Balance, 5), Token));
        Assert.Equal(Accounts, await db.Accounts.ExecuteDeleteAsync(Token));
        Assert.Equal(0, await db.Accounts.CountAsync(Token));
    }

    Task<string> OpenAsync(string branch) => BankContext.OpenAccountAsync(store.Node, branch: branch);

    BankContext NewContext() => BankContext.Of(store.Node);

    static CancellationToken Token => TestContext.Current.CancellationToken;
}
