using Datacake.EventualConsistency;

namespace Datacake.Data.Tests.Serial;

/// <summary>The tracked entities after RunSerialAsync has repeated its work, or failed.</summary>
public class SerialDiscardTests(StoreFixture store)
{
    [Fact]
    public async Task Changes_after_a_work_to_entities_that_were_tracked_before_it_are_saved()
    {
        string id = await BankContext.OpenAccountAsync(store.Node), other = await BankContext.OpenAccountAsync(store.Node);
        await using var db = NewContext();
        var account = (await db.Accounts.FindAsync([id], Token))!;
        foreach (bool conflicts in new[] { false, true })
        {
            await RunAsync(db, other, conflicts, () => { });
            Assert.Equal(EntityState.Unchanged, db.Entry(account).State);
            account.Balance += 1;
            Assert.Equal(1, await db.SaveChangesAsync(Token));
        }
        Assert.Equal(102m, await BalanceAsync(id));
    }

    [Fact]
    public async Task Entity_that_was_tracked_before_a_work_can_be_changed_in_each_run_of_it()
    {
        string id = await BankContext.OpenAccountAsync(store.Node), other = await BankContext.OpenAccountAsync(store.Node);
        await using var db = NewContext();
        var account = (await db.Accounts.FindAsync([id], Token))!;
        await ChangeAsync(id, static changed => (changed.Balance, changed.Owner) = (50, "theirs"));
        await RunAsync(db, other, conflicts: true, () => account.Balance -= 10);
        Assert.Equal((40m, "theirs", EntityState.Unchanged), (account.Balance, account.Owner, db.Entry(account).State));
        Assert.Equal(40m, await BalanceAsync(id));
    }

    [Fact]
    public async Task Entity_that_was_deleted_meanwhile_is_detached_when_the_work_is_repeated()
    {
        string id = await BankContext.OpenAccountAsync(store.Node), other = await BankContext.OpenAccountAsync(store.Node);
        await using var db = NewContext();
        var account = (await db.Accounts.FindAsync([id], Token))!;
        await using (var theirs = NewContext())
        {
            theirs.Remove(new Account { Id = id });
            await theirs.SaveChangesAsync(Token);
        }
        var found = new List<Account?>();
        await RunAsync(db, other, conflicts: true, async () => found.Add(await db.Accounts.FindAsync([id], Token)));
        Assert.Equal([account, null], found);
        Assert.Equal(EntityState.Detached, db.Entry(account).State);
    }

    [Fact]
    public async Task Context_keeps_its_entities_if_a_work_cannot_begin()
    {
        string id = await BankContext.OpenAccountAsync(store.Node);
        await using var db = NewContext();
        var account = (await db.Accounts.FindAsync([id], Token))!;
        using var canceled = new CancellationTokenSource();
        await canceled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => db.RunSerialAsync(() => Task.CompletedTask, canceled.Token));
        account.Balance = 1;
        Assert.Equal(1, await db.SaveChangesAsync(Token));
    }

    [Fact]
    public async Task Changes_of_a_work_that_throws_are_discarded()
    {
        string changed = await BankContext.OpenAccountAsync(store.Node), deleted = await BankContext.OpenAccountAsync(store.Node), read = await BankContext.OpenAccountAsync(store.Node);
        await using var db = NewContext();
        var (first, second) = ((await db.Accounts.FindAsync([changed], Token))!, (await db.Accounts.FindAsync([deleted], Token))!);
        var kept = new Card { Id = NewId() };
        first.Cards.Add(kept);
        first.Tags = ["before"];
        await db.SaveChangesAsync(Token);
        var added = new Card { Id = NewId() };

        await Assert.ThrowsAsync<FormatException>(() => db.RunSerialAsync(async () =>
        {
            first.Balance = 1;
            first.Tags.Add("work");
            first.Limits = new AccountLimits { PerDay = 1 };
            first.Cards.Remove(kept);
            first.Cards.Add(added);
            second.Cards.Add(new Card { Id = NewId() });
            db.Remove(second);
            db.Add(new Account { Id = NewId() });
            db.Update(new Account { Id = read, Owner = "work" });
            _ = db.ChangeTracker.Entries();
            await Task.Yield();
            throw new FormatException();
        }, Token));

        Assert.False(db.ChangeTracker.HasChanges());
        Assert.Equal(3, db.ChangeTracker.Entries().Count);
        Assert.Equal((100m, "before", null), (first.Balance, first.Tags.Single(), first.Limits));
        Assert.Same(kept, Assert.Single(first.Cards));
        Assert.Same(first, kept.Account);
        Assert.Empty(second.Cards);
        Assert.Equal(0, await db.SaveChangesAsync(Token));
        // The entities are tracked as before.
        second.Balance = 7;
        first.Cards.Add(added);
        Assert.Equal(2, await db.SaveChangesAsync(Token));
        Assert.Equal(7m, await BalanceAsync(deleted));
    }

    [Fact]
    public async Task Changes_of_a_work_that_cannot_be_saved_are_discarded()
    {
        string id = await BankContext.OpenAccountAsync(store.Node);
        await using var db = NewContext();
        await Assert.ThrowsAsync<EntityConflictException>(() => db.RunSerialAsync(async () =>
        {
            await ChangeAsync(id, static account => account.Balance++);
            db.Add(new Account { Id = id });
            db.Add(new Remark());
        }, maxAttempts: 2, Token));
        Assert.Empty(db.ChangeTracker.Entries());
        Assert.Equal(0, await db.SaveChangesAsync(Token));
    }

    [Fact]
    public async Task Work_that_throws_after_it_was_saved_loses_later_changes_only()
    {
        string id = await BankContext.OpenAccountAsync(store.Node);
        await using var db = NewContext();
        Account account = null!;
        var added = new Account { Id = NewId(), Balance = 5 };
        await Assert.ThrowsAsync<FormatException>(() => db.RunSerialAsync(async () =>
        {
            account = (await db.Accounts.FindAsync([id], Token))!;
            account.Balance = 1;
            db.Add(added);
            await db.SaveChangesAsync(Token);
            account.Balance = 2;
            added.Balance = 6;
            db.Add(new Account { Id = NewId() });
            throw new FormatException();
        }, Token));
        Assert.Equal((1m, 5m), (account.Balance, added.Balance));
        Assert.Equal([EntityState.Unchanged, EntityState.Unchanged], db.ChangeTracker.Entries().Select(static entry => entry.State));
        Assert.Equal(0, await db.SaveChangesAsync(Token));
        Assert.Equal(1m, await BalanceAsync(id));
    }

    [Fact]
    public async Task Entities_are_tracked_again_after_a_work_that_clears_the_tracker_and_throws()
    {
        string id = await BankContext.OpenAccountAsync(store.Node);
        await using var db = NewContext();
        var account = (await db.Accounts.FindAsync([id], Token))!;
        await Assert.ThrowsAsync<FormatException>(() => db.RunSerialAsync(async () =>
        {
            db.ChangeTracker.Clear();
            (await db.Accounts.FindAsync([id], Token))!.Balance = 1;
            throw new FormatException();
        }, Token));
        Assert.Same(account, await db.Accounts.FindAsync([id], Token));
        account.Balance = 3;
        Assert.Equal(1, await db.SaveChangesAsync(Token));
    }

    [Fact]
    public async Task Undetected_changes_from_before_a_work_are_not_lost()
    {
        string id = await BankContext.OpenAccountAsync(store.Node);
        await using var db = NewContext();
        db.ChangeTracker.AutoDetectChangesEnabled = false;
        (await db.Accounts.FindAsync([id], Token))!.Balance = 1;
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => db.RunSerialAsync(() => Task.CompletedTask, Token));
        Assert.StartsWith("The context has changes that are not saved", error.Message, StringComparison.Ordinal);
        Assert.Equal(1, await db.SaveChangesAsync(Token));
    }

    Task RunAsync(BankContext db, string other, bool conflicts, Action change) => RunAsync(db, other, conflicts, () =>
    {
        change();
        return Task.CompletedTask;
    });

    /// <summary>Runs a work that also changes another account. The first run conflicts in it, if that is asked for.</summary>
    async Task RunAsync(BankContext db, string other, bool conflicts, Func<Task> change)
    {
        int runs = 0;
        await db.RunSerialAsync(async () =>
        {
            await change();
            (await db.Accounts.FindAsync([other], Token))!.Balance += 1;
            if (++runs == 1 && conflicts)
                await ChangeAsync(other, static account => account.Balance += 1);
        }, Token);
        Assert.Equal(conflicts ? 2 : 1, runs);
    }

    async Task ChangeAsync(string id, Action<Account> change)
    {
        await using var db = NewContext();
        change((await db.Accounts.FindAsync([id], Token))!);
        await db.SaveChangesAsync(Token);
    }

    async Task<decimal> BalanceAsync(string id)
    {
        await using var db = NewContext();
        return (await db.Accounts.FindAsync([id], Token))!.Balance;
    }

    BankContext NewContext() => BankContext.Of(store.Node);

    static string NewId() => Guid.NewGuid().ToString("N");

    static CancellationToken Token => TestContext.Current.CancellationToken;
}
