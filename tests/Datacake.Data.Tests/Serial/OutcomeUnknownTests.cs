using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Tests.Fixtures;
using Datacake.Node;
using Datacake.Storage;

namespace Datacake.Data.Tests.Serial;

/// <summary>Saves whose outcome was not learned in time, because the cable was pulled after they were sent.</summary>
public sealed class OutcomeUnknownTests : IAsyncDisposable
{
    readonly ReservedAddresses _reserved = new();
    readonly List<DatacakeNode> _nodes = [];
    readonly SeverableTransport _cable = new();

    static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        _cable.Resume();
        foreach (var node in _nodes)
            await node.DisposeAsync();
        _reserved.Dispose();
    }

    [Fact]
    public async Task Entries_keep_their_states_until_the_save_is_resolved_and_are_then_accepted()
    {
        await StartAsync();
        string changed = await BankContext.OpenAccountAsync(_nodes[0]), deleted = await BankContext.OpenAccountAsync(_nodes[0]);
        await using var db = BankContext.Of(_nodes[2]);
        var accounts = await db.Accounts.WithConsistency(Consistency.Serial).ToListAsync(Token);
        var (first, second) = (accounts.Single(account => account.Id == changed), accounts.Single(account => account.Id == deleted));
        first.Balance = 90;
        db.Accounts.Remove(second);
        var added = db.Accounts.Add(new Account { Id = "new", Balance = 5 }).Entity;
        _cable.Pause();

        var unknown = await Assert.ThrowsAsync<OutcomeUnknownException>(() => db.SaveChangesAsync(Token));
        var states = (db.Entry(first).State, db.Entry(second).State, db.Entry(added).State);
        await Assert.ThrowsAnyAsync<Exception>(() => db.ResolveSaveAsync(Token));
        var still = (db.Entry(first).State, db.Entry(second).State, db.Entry(added).State);
        _cable.Resume();
        var result = await RetryAsync(() => db.ResolveSaveAsync(Token));

        Assert.Contains("was sent, and may take effect", unknown.Message, StringComparison.Ordinal);
        Assert.Equal((EntityState.Modified, EntityState.Deleted, EntityState.Added), states);
        Assert.Equal(states, still);
        Assert.Equal(3, result!.Count);
        Assert.Equal((EntityState.Unchanged, EntityState.Detached, EntityState.Unchanged), (db.Entry(first).State, db.Entry(second).State, db.Entry(added).State));
        await Assert.ThrowsAsync<InvalidOperationException>(() => db.ResolveSaveAsync(Token));
        await using var other = BankContext.Of(_nodes[0]);
        var shown = await other.Accounts.WithConsistency(Consistency.Serial).ToListAsync(Token);
        Assert.Equal([(changed, 90m), ("new", 5m)], shown.Select(static account => (account.Id, account.Balance)).OrderBy(static account => account.Id == "new"));
    }

    [Fact]
    public async Task Save_that_turns_out_to_be_refused_leaves_its_changes_pending_and_can_be_repeated()
    {
        await StartAsync();
        string id = await BankContext.OpenAccountAsync(_nodes[0]);
        await using var db = BankContext.Of(_nodes[2]);
        var account = (await db.Accounts.WithConsistency(Consistency.Serial).FindAsync([id], Token))!;
        account.Balance = 90;
        _cable.Pause();
        await Assert.ThrowsAsync<OutcomeUnknownException>(() => db.SaveChangesAsync(Token));
        // The request is in the cable, and meanwhile somebody else changes the account.
        await using (var other = BankContext.Of(_nodes[0]))
        {
            (await other.Accounts.FindAsync([id], Token))!.Balance = 70;
            await RetryAsync(() => other.SaveChangesAsync(Token));
        }
        _cable.Resume();

        var result = await RetryAsync(() => db.ResolveSaveAsync(Token));

        Assert.Null(result);
        Assert.Equal(EntityState.Modified, db.Entry(account).State);
        var conflict = await Assert.ThrowsAsync<EntityConflictException>(() => RetryAsync(() => db.SaveChangesAsync(Token)));
        await conflict.Entry.ReloadAsync(Token);
        Assert.Equal(70m, account.Balance);
        account.Balance -= 10;
        await RetryAsync(() => db.SaveChangesAsync(Token));
        Assert.Equal(60m, await BalanceAsync(_nodes[0], id));
    }

    [Fact]
    public async Task Next_save_resolves_the_last_one_first_so_that_nothing_is_saved_twice()
    {
        await StartAsync();
        string id = await BankContext.OpenAccountAsync(_nodes[0]);
        await using var db = BankContext.Of(_nodes[2]);
        var account = (await db.Accounts.WithConsistency(Consistency.Serial).FindAsync([id], Token))!;
        account.Balance -= 10;
        _cable.Pause();
        await Assert.ThrowsAsync<OutcomeUnknownException>(() => db.SaveChangesAsync(Token));
        _cable.Resume();
        account.Balance -= 10;

        await RetryAsync(() => db.SaveChangesAsync(Token));

        Assert.Equal(EntityState.Unchanged, db.Entry(account).State);
        Assert.Equal(80m, await BalanceAsync(_nodes[0], id));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Changes_that_are_made_while_the_outcome_is_unknown_stay_pending(bool hasHandler)
    {
        await StartAsync();
        string removed = await BankContext.OpenAccountAsync(_nodes[0]), changed = await BankContext.OpenAccountAsync(_nodes[0]), replaced = await BankContext.OpenAccountAsync(_nodes[0]);
        await using var db = BankContext.Of(_nodes[2]);
        var accounts = await db.Accounts.WithConsistency(Consistency.Serial).ToDictionaryAsync(account => account.Id, Token);
        foreach (var account in accounts.Values)
            account.Balance = 90;
        var (kept, gone, detached) = (new Account { Id = "kept" }, new Account { Id = "gone" }, new Account { Id = "detached" });
        db.AddRange(kept, gone, detached);
        _cable.Pause();
        await Assert.ThrowsAsync<OutcomeUnknownException>(() => db.SaveChangesAsync(Token));

        db.RemoveRange(accounts[removed], gone, accounts[replaced]);
        db.Add(new Account { Id = replaced, Balance = 5 });
        db.Entry(detached).State = EntityState.Detached;
        accounts[changed].Balance = 80;
        kept.Cards.Add(new Card { Id = "card" });
        var states = (db.Entry(accounts[removed]).State, db.Entry(gone).State, db.Entry(detached).State);
        _cable.Resume();
        var seen = new List<(EntityState, EntityState)>();
        if (hasHandler)
            db.SavingChanges += (_, _) => seen.Add((db.Entry(kept).State, db.Entry(accounts[changed]).State));
        else
            Assert.Equal(6, (await RetryAsync(() => db.ResolveSaveAsync(Token)))!.Count);
        await RetryAsync(() => db.SaveChangesAsync(Token));

        Assert.Equal((EntityState.Deleted, EntityState.Deleted, EntityState.Detached), states);
        Assert.Equal(hasHandler ? [(EntityState.Unchanged, EntityState.Modified)] : [], seen.TakeLast(1));
        Assert.Equal(EntityState.Detached, db.Entry(gone).State);
        Assert.False(db.ChangeTracker.HasChanges());
        await using var other = BankContext.Of(_nodes[0]);
        var shown = await other.Accounts.WithConsistency(Consistency.Serial).ToListAsync(Token);
        Assert.Equal(
            [(changed, 80m), (replaced, 5m), ("detached", 0m), ("kept", 0m)],
            shown.Select(static account => (account.Id, account.Balance)).OrderByDescending(static account => account.Balance).ThenBy(static account => account.Id, StringComparer.Ordinal));
        Assert.Equal("kept", (await other.Cards.FindAsync(["card"], Token))!.AccountId);
    }

    [Fact]
    public async Task Entity_that_was_removed_while_the_outcome_was_unknown_is_forgotten_if_the_save_was_refused()
    {
        await StartAsync();
        string id = await BankContext.OpenAccountAsync(_nodes[0]);
        await using var db = BankContext.Of(_nodes[2]);
        (await db.Accounts.WithConsistency(Consistency.Serial).FindAsync([id], Token))!.Balance = 90;
        var added = db.Accounts.Add(new Account { Id = "added" }).Entity;
        _cable.Pause();
        await Assert.ThrowsAsync<OutcomeUnknownException>(() => db.SaveChangesAsync(Token));
        await using (var other = BankContext.Of(_nodes[0]))
        {
            (await other.Accounts.FindAsync([id], Token))!.Balance = 70;
            await RetryAsync(() => other.SaveChangesAsync(Token));
        }
        db.Remove(added);
        _cable.Resume();

        Assert.Null(await RetryAsync(() => db.ResolveSaveAsync(Token)));

        Assert.Equal(EntityState.Detached, db.Entry(added).State);
        Assert.Equal(EntityState.Modified, db.ChangeTracker.Entries().Single().State);
    }

    [Fact]
    public async Task Entity_that_was_reloaded_while_the_outcome_was_unknown_is_not_changed_back()
    {
        await StartAsync();
        string id = await BankContext.OpenAccountAsync(_nodes[0]);
        await using var db = BankContext.Of(_nodes[2]);
        var account = (await db.Accounts.WithConsistency(Consistency.Serial).FindAsync([id], Token))!;
        account.Balance = 90;
        _cable.Pause();
        await Assert.ThrowsAsync<OutcomeUnknownException>(() => db.SaveChangesAsync(Token));
        await db.Entry(account).ReloadAsync(Token);
        Assert.Equal(100m, account.Balance);
        _cable.Resume();
        Assert.NotNull(await RetryAsync(() => db.ResolveSaveAsync(Token)));
        Assert.Equal(EntityState.Unchanged, db.Entry(account).State);
        Assert.Equal(90m, await BalanceAsync(_nodes[0], id));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Work_that_turns_out_to_be_refused_is_not_saved_without_what_it_has_read(bool isRun)
    {
        await StartAsync();
        string branch = "north-" + isRun;
        await using var db = BankContext.Of(_nodes[2]);
        // The gift depends on the other accounts of the branch.
        async Task GiveAsync()
        {
            if (await db.Accounts.CountAsync(account => account.Branch == branch, Token) == 0)
                db.Accounts.Add(new Account { Id = branch + "-gift", Balance = 100 });
            _cable.Pause();
        }

        await Assert.ThrowsAsync<OutcomeUnknownException>(async () =>
        {
            if (isRun)
            {
                await db.RunSerialAsync(GiveAsync, Token);
                return;
            }
            await using var work = await db.BeginSerialAsync(Token);
            await GiveAsync();
            await work.SaveChangesAsync(Token);
        });
        await using (var other = BankContext.Of(_nodes[0]))
        {
            other.Accounts.Add(new Account { Id = branch + "-first", Branch = branch });
            await RetryAsync(() => other.SaveChangesAsync(Token));
        }
        _cable.Resume();
        var e = await Assert.ThrowsAsync<InvalidOperationException>(() => RetryAsync(() => db.SaveChangesAsync(Token)));

        Assert.Contains("was refused", e.Message, StringComparison.Ordinal);
        Assert.Equal(!isRun, db.ChangeTracker.HasChanges());
        await using var reader = BankContext.Of(_nodes[0]);
        Assert.Null(await reader.Accounts.WithConsistency(Consistency.Serial).FindAsync([branch + "-gift"], Token));
    }

    static async Task<decimal> BalanceAsync(DatacakeNode node, string id)
    {
        await using var db = BankContext.Of(node);
        return (await db.Accounts.WithConsistency(Consistency.Serial).FindAsync([id], Token))!.Balance;
    }

    /// <summary>Starts three nodes, of which the last one has a cable to pull, and gives up after a second.</summary>
    async Task StartAsync()
    {
        string[] addresses = _reserved.Next(3);
        for (int id = 1; id <= 3; id++)
        {
            _nodes.Add(await DatacakeNode.StartAsync(
                options =>
                {
                    options.WithNodeId(id).ListenOn(addresses[id - 1]).WithSeeds(addresses[..id]).WithGossip(static gossip => gossip.UseLocal()).UseMemory()
                        .WithStore(store =>
                        {
                            store.AcknowledgmentTimeout = id == 3 ? TimeSpan.FromSeconds(1) : Eventually.Deadline;
                            store.NeverVotes = id == 3;     // and so is never the sequencer
                        });
                    if (id == 3)
                        options.WithTransport(_cable);
                }, Token));
            await _nodes[^1].OpenStoreAsync(Token);
        }
        foreach (var node in _nodes)
        {
            var store = await node.OpenStoreAsync(Token);
            await Eventually.WaitUntilAsync(() => store.SerialStatus is { Sequencer: not null, VoterCount: 2 }, $"node {node.Id} knows 2 voters and a sequencer");
        }
    }

    /// <summary>Repeats a call until the nodes have found each other again.</summary>
    static async Task<T> RetryAsync<T>(Func<Task<T>> call)
    {
        T result = default!;
        await Eventually.WaitUntilAsync(async () =>
        {
            try
            {
                result = await call();
                return true;
            }
            catch (Exception e) when (e is OutcomeUnknownException or NotEnoughNodesException or TimeoutException)
            {
                return false;
            }
        }, "the nodes have found each other again");
        return result;
    }
}
