using Datacake.EventualConsistency;

namespace Datacake.Data.Tests.Serial;

public class SerialWorkTests(StoreFixture store)
{
    [Fact]
    public async Task Work_is_saved_if_what_it_read_is_unchanged()
    {
        string from = await BankContext.OpenAccountAsync(store.Node), to = await BankContext.OpenAccountAsync(store.Node);
        await using var db = NewContext();
        await using (var work = await db.BeginSerialAsync(Token))
        {
            (await db.Accounts.FindAsync([from], Token))!.Balance -= 30;
            (await db.Accounts.FindAsync([to], Token))!.Balance += 30;
            Assert.Equal(2, await work.SaveChangesAsync(Token));
            Assert.True(work.IsSaved);
        }
        Assert.Equal((70m, 130m), (await BalanceAsync(from), await BalanceAsync(to)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Write_skew_does_not_happen(bool isTracking)
    {
        // Each may be emptied as long as the other has money.
        string first = await BankContext.OpenAccountAsync(store.Node), second = await BankContext.OpenAccountAsync(store.Node);
        await using var mine = NewContext();
        await using var theirs = NewContext();
        await using var myWork = await mine.BeginSerialAsync(Token);
        await using var theirWork = await theirs.BeginSerialAsync(Token);
        await EmptyAsync(mine, first, second);
        await EmptyAsync(theirs, second, first);
        Assert.Equal(1, await theirWork.SaveChangesAsync(Token));
        var error = await Assert.ThrowsAsync<ReadConflictException>(() => myWork.SaveChangesAsync(Token));
        Assert.Equal(("BankAccounts", (DocumentKey)second), (error.Keyspace, error.Key));
        Assert.StartsWith($"The Account '{second}', which the work has read, was changed. Nothing was saved. This serial unit of work", error.Message, StringComparison.Ordinal);
        Assert.Equal((100m, 0m), (await BalanceAsync(first), await BalanceAsync(second)));

        async Task EmptyAsync(BankContext db, string emptied, string other)
        {
            var query = isTracking ? db.Accounts.AsTracking() : db.Accounts.AsNoTracking();
            if (await query.Where(account => account.Id == other).Select(account => account.Balance).SingleAsync(Token) > 0)
                (await db.Accounts.FindAsync([emptied], Token))!.Balance = 0;
        }
    }

    [Fact]
    public async Task Entity_that_was_not_there_must_still_not_be_there()
    {
        string id = Guid.NewGuid().ToString("N"), other = await BankContext.OpenAccountAsync(store.Node);
        await using var mine = NewContext();
        await using var work = await mine.BeginSerialAsync(Token);
        Assert.Null(await mine.Accounts.FindAsync([id], Token));
        (await mine.Accounts.FindAsync([other], Token))!.Balance = 1;
        await using (var theirs = NewContext())
        {
            theirs.Add(new Account { Id = id });
            await theirs.SaveChangesAsync(Token);
        }
        var error = await Assert.ThrowsAsync<ReadConflictException>(() => work.SaveChangesAsync(Token));
        Assert.Equal((DocumentKey)id, error.Key);
        Assert.StartsWith($"The Account '{id}', which the work has not found, was added. Nothing was saved.", error.Message, StringComparison.Ordinal);
        Assert.Equal(100m, await BalanceAsync(other));
    }

    [Fact]
    public async Task Deleted_entity_that_was_read_is_a_conflict()
    {
        string id = await BankContext.OpenAccountAsync(store.Node);
        await using var mine = NewContext();
        await using var work = await mine.BeginSerialAsync(Token);
        await mine.Accounts.AsNoTracking().SingleAsync(account => account.Id == id, Token);
        await using (var theirs = NewContext())
        {
            theirs.Remove((await theirs.Accounts.FindAsync([id], Token))!);
            await theirs.SaveChangesAsync(Token);
        }
        var error = await Assert.ThrowsAsync<ReadConflictException>(() => work.SaveChangesAsync(Token));
        Assert.StartsWith($"The Account '{id}', which the work has read, was deleted. Nothing was saved.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Entity_that_is_shown_from_the_tracker_must_be_as_it_was_when_it_was_read()
    {
        string id = await BankContext.OpenAccountAsync(store.Node), other = await BankContext.OpenAccountAsync(store.Node);
        await using var mine = NewContext();
        await mine.Accounts.FindAsync([id], Token);
        await using (var theirs = NewContext())
        {
            (await theirs.Accounts.FindAsync([id], Token))!.Balance = 1;
            await theirs.SaveChangesAsync(Token);
        }
        await using (var work = await mine.BeginSerialAsync(Token))
        {
            Assert.Equal(100m, (await mine.Accounts.FindAsync([id], Token))!.Balance);
            (await mine.Accounts.FindAsync([other], Token))!.Owner = "mine";
            await Assert.ThrowsAsync<ReadConflictException>(() => work.SaveChangesAsync(Token));
        }
        await using (var work = await mine.BeginSerialAsync(Token))
        {
            // The query reads the present entity, but returns the outdated instance.
            Assert.Equal(100m, (await mine.Accounts.SingleAsync(account => account.Id == id, Token)).Balance);
            await Assert.ThrowsAsync<ReadConflictException>(() => work.SaveChangesAsync(Token));
        }
        await using (var work = await mine.BeginSerialAsync(Token))
        {
            // One that is reloaded before it is asked for counts with its new values.
            foreach (var entry in mine.ChangeTracker.Entries())
                await entry.ReloadAsync(Token);
            Assert.Equal(1m, (await mine.Accounts.FindAsync([id], Token))!.Balance);
            Assert.Equal(0, await work.SaveChangesAsync(Token));
        }
    }

    [Theory]
    [InlineData("an instance")]
    [InlineData("Local")]
    [InlineData("a navigation")]
    [InlineData("attached")]
    [InlineData("original values")]
    public async Task Entity_that_was_tracked_before_the_work_and_is_used_without_a_query_must_be_unchanged(string use)
    {
        foreach (bool isChanged in new[] { false, true })
        {
            string id = await BankContext.OpenAccountAsync(store.Node), other = await BankContext.OpenAccountAsync(store.Node), card = Guid.NewGuid().ToString("N");
            await using var db = NewContext();
            var account = use == "attached" ? db.Attach(new Account { Id = id, Owner = "Ada", Balance = 100 }).Entity as Account : await db.Accounts.FindAsync([id], Token);
            if (use == "original values")
                db.Entry(account!).OriginalValues.SetValues((await db.Entry(account!).GetDatabaseValuesAsync(Token))!);
            if (use == "a navigation")
            {
                db.Add(new Card { Id = card, Account = account });
                await db.SaveChangesAsync(Token);
            }
            if (isChanged)
                await ChangeAsync(id, static changed => changed.Balance = 1);
            await using var work = await db.BeginSerialAsync(Token);
            decimal balance = use switch
            {
                "Local" => db.Accounts.Local.Single().Balance,
                "a navigation" => (await db.Cards.FindAsync([card], Token))!.Account!.Balance,
                _ => account!.Balance,
            };
            db.Add(new Account { Id = Guid.NewGuid().ToString("N"), Balance = balance });
            if (!isChanged)
                Assert.Equal(1, await work.SaveChangesAsync(Token));
            else
                Assert.Equal((DocumentKey)id, (await Assert.ThrowsAsync<ReadConflictException>(() => work.SaveChangesAsync(Token))).Key);
        }
    }

    [Fact]
    public async Task Attached_entity_that_is_not_stored_is_a_conflict_of_a_work()
    {
        await using var db = NewContext();
        await using var work = await db.BeginSerialAsync(Token);
        string id = Guid.NewGuid().ToString("N");
        db.Attach(new Account { Id = id });
        var error = await Assert.ThrowsAsync<ReadConflictException>(() => work.SaveChangesAsync(Token));
        Assert.StartsWith($"The Account '{id}', which the context tracks, is not stored with the values that it was attached with. Nothing was saved.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Work_that_conflicts_is_repeated_in_another_one_as_the_exceptions_say()
    {
        string id = await BankContext.OpenAccountAsync(store.Node), other = await BankContext.OpenAccountAsync(store.Node);
        await using var db = NewContext();
        var account = (await db.Accounts.FindAsync([id], Token))!;
        await using (var work = await db.BeginSerialAsync(Token))
        {
            account.Balance -= 10;
            await ChangeAsync(id, static changed => changed.Balance = 50);
            var error = await Assert.ThrowsAsync<EntityConflictException>(() => work.SaveChangesAsync(Token));
            Assert.Equal(
                $"The Account '{id}' was changed after it was read. Nothing was saved. This serial unit of work can no longer be saved, because what it has read is out of date. Dispose it, "
                    + "reload the tracked entities or clear the change tracker, and repeat the work in another one (BeginSerialAsync); RunSerialAsync does so for you.",
                error.Message);
        }
        await db.Entry(account).ReloadAsync(Token);
        await using (var work = await db.BeginSerialAsync(Token))
        {
            account.Balance -= 10;
            await db.Accounts.AsNoTracking().SingleAsync(known => known.Id == other, Token);
            await ChangeAsync(other, static changed => changed.Balance = 50);
            var error = await Assert.ThrowsAsync<ReadConflictException>(() => work.SaveChangesAsync(Token));
            Assert.Contains("Dispose it, reload the tracked entities or clear the change tracker, and repeat the work in another one", error.Message, StringComparison.Ordinal);
        }
        await using (var work = await db.BeginSerialAsync(Token))
            Assert.Equal(1, await work.SaveChangesAsync(Token));
        Assert.Equal(40m, await BalanceAsync(id));
    }

    [Fact]
    public async Task Work_that_changes_nothing_checks_what_it_has_read()
    {
        string id = await BankContext.OpenAccountAsync(store.Node);
        await using var mine = NewContext();
        await using (var work = await mine.BeginSerialAsync(Token))
        {
            Assert.Equal(100m, await mine.Accounts.Where(account => account.Id == id).SumAsync(account => account.Balance, Token));
            Assert.Equal(0, await work.SaveChangesAsync(Token));
        }
        await using (var work = await mine.BeginSerialAsync(Token))
        {
            Assert.Equal(100m, await mine.Accounts.Where(account => account.Id == id).SumAsync(account => account.Balance, Token));
            await using (var theirs = NewContext())
            {
                (await theirs.Accounts.FindAsync([id], Token))!.Balance = 1;
                await theirs.SaveChangesAsync(Token);
            }
            await Assert.ThrowsAsync<ReadConflictException>(() => work.SaveChangesAsync(Token));
        }
    }

    [Fact]
    public async Task Included_entities_are_read_for_the_work()
    {
        string id = await BankContext.OpenAccountAsync(store.Node), card = Guid.NewGuid().ToString("N");
        await using var mine = NewContext();
        mine.Add(new Card { Id = card, AccountId = id });
        await mine.SaveChangesAsync(Token);
        mine.ChangeTracker.Clear();
        await using var work = await mine.BeginSerialAsync(Token);
        var account = await mine.Accounts.Include(known => known.Cards).SingleAsync(known => known.Id == id, Token);
        account.Balance = account.Cards.Count;
        await using (var theirs = NewContext())
        {
            theirs.Remove((await theirs.Cards.FindAsync([card], Token))!);
            await theirs.SaveChangesAsync(Token);
        }
        await Assert.ThrowsAsync<ReadConflictException>(() => work.SaveChangesAsync(Token));
    }

    [Fact]
    public async Task Reads_after_the_work_are_not_checked()
    {
        string id = await BankContext.OpenAccountAsync(store.Node), other = await BankContext.OpenAccountAsync(store.Node);
        await using var db = NewContext();
        await using (await db.BeginSerialAsync(Token))
            Assert.NotNull(await db.Accounts.FindAsync([id], Token));
        await using (var theirs = NewContext())
        {
            (await theirs.Accounts.FindAsync([id], Token))!.Balance = 1;
            await theirs.SaveChangesAsync(Token);
        }
        (await db.Accounts.FindAsync([other], Token))!.Balance = 1;
        Assert.Equal(1, await db.SaveChangesAsync(Token));
    }

    [Fact]
    public async Task Context_has_one_work_at_a_time_which_is_saved_once()
    {
        string id = await BankContext.OpenAccountAsync(store.Node);
        await using var db = NewContext();
        var work = await db.BeginSerialAsync(Token);
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => db.BeginSerialAsync(Token));
        Assert.Contains("The context has a serial unit of work already", error.Message, StringComparison.Ordinal);
        var account = (await db.Accounts.FindAsync([id], Token))!;
        account.Balance = 1;
        Assert.Equal(1, await db.SaveChangesAsync(Token));
        Assert.True(work.IsSaved);
        account.Balance = 2;
        error = await Assert.ThrowsAsync<InvalidOperationException>(() => work.SaveChangesAsync(Token));
        Assert.Contains("was saved already", error.Message, StringComparison.Ordinal);
        await work.DisposeAsync();
        error = await Assert.ThrowsAsync<InvalidOperationException>(() => work.SaveChangesAsync(Token));
        Assert.Contains("was disposed", error.Message, StringComparison.Ordinal);
        Assert.Equal(1, await db.SaveChangesAsync(Token));
        Assert.Equal(2m, await BalanceAsync(id));
    }

    [Fact]
    public void Transaction_of_a_database_is_a_compile_error_that_names_serial_works()
    {
        var obsolete = Assert.Single(typeof(DatacakeContext).GetProperty("Database")!.GetCustomAttributes(typeof(ObsoleteAttribute), false).Cast<ObsoleteAttribute>());
        Assert.True(obsolete.IsError);
        Assert.EndsWith(
            "In place of Database.BeginTransaction, save all changes at once; if the transaction has to be serializable, use RunSerialAsync or BeginSerialAsync with [Serial] classes.",
            obsolete.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Update_of_a_query_cannot_be_part_of_a_work()
    {
        await using var db = NewContext();
        await using var work = await db.BeginSerialAsync(Token);
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => db.Accounts.Where(account => account.Id == "none").ExecuteDeleteAsync(Token));
        Assert.StartsWith("ExecuteDeleteAsync commits by itself", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reads_that_a_save_cannot_check_are_refused_in_a_work_and_possible_after_it()
    {
        await using var db = NewContext();
        var accounts = db.Accounts.Where(account => account.Branch == "none");
        var watch = accounts.WatchAsync(Token).GetAsyncEnumerator(Token);
        await using (await db.BeginSerialAsync(Token))
        {
            await RefuseAsync("WatchAsync reads on after the save", () => watch.MoveNextAsync().AsTask());
            await RefuseAsync("WatchAsync reads on after the save", () => Task.FromResult(accounts.WatchAsync(Token)));
            await RefuseAsync("WatchAsync reads on after the save", () => Task.FromResult(accounts.WatchAsync(WatchPosition.Now, Token)));
            await RefuseAsync("ListUnreadableAsync reads all entities", () => db.Accounts.ListUnreadableAsync(Token).ToListAsync(Token).AsTask());
            await RefuseAsync("DeleteUnreadableAsync commits by itself", () => db.Accounts.DeleteUnreadableAsync(Consistency.None, Token));
            await RefuseAsync("DropUniqueIndexAsync commits by itself", () => db.Accounts.DropUniqueIndexAsync("Owner", Token));
        }
        await watch.DisposeAsync();
        await foreach (var changes in accounts.WatchAsync(Token))
        {
            Assert.Empty(changes.Changes);
            break;
        }
        Assert.Empty(await db.Accounts.ListUnreadableAsync(Token).ToListAsync(Token));

        static async Task RefuseAsync(string start, Func<Task> call)
        {
            var error = await Assert.ThrowsAsync<InvalidOperationException>(call);
            Assert.StartsWith(start, error.Message, StringComparison.Ordinal);
            Assert.EndsWith("Call it before or after the work, or on another context.", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Work_that_conflicts_is_run_again_with_present_entities()
    {
        string id = await BankContext.OpenAccountAsync(store.Node, balance: 0);
        await using var db = NewContext();
        await db.Accounts.FindAsync([id], Token);
        int runs = 0;
        decimal balance = await db.RunSerialAsync(async () =>
        {
            var account = (await db.Accounts.FindAsync([id], Token))!;
            if (++runs <= 3)
            {
                await using var theirs = NewContext();
                (await theirs.Accounts.FindAsync([id], Token))!.Balance += 1;
                await theirs.SaveChangesAsync(Token);
            }
            return account.Balance += 10;
        }, Token);
        Assert.Equal((4, 13m, 13m), (runs, balance, await BalanceAsync(id)));
    }

    [Fact]
    public async Task Work_that_keeps_conflicting_fails_after_the_last_attempt()
    {
        string id = await BankContext.OpenAccountAsync(store.Node, balance: 0);
        await using var db = NewContext();
        int runs = 0;
        var error = await Assert.ThrowsAsync<EntityConflictException>(() => db.RunSerialAsync(async () =>
        {
            runs++;
            (await db.Accounts.FindAsync([id], Token))!.Balance += 10;
            await using var theirs = NewContext();
            (await theirs.Accounts.FindAsync([id], Token))!.Balance += 1;
            await theirs.SaveChangesAsync(Token);
        }, maxAttempts: 3, Token));
        Assert.Equal((3, 3m), (runs, await BalanceAsync(id)));
        Assert.Equal(
            $"The Account '{id}' was changed after it was read. Nothing was saved. RunSerialAsync has run the work 3 times, which is the limit of this call, and each time something that the work "
                + "had read was changed before it was saved. The changes of the work were discarded. Make the work shorter, let it read less (give its queries indexes), pass a larger maxAttempts, "
                + "or call RunSerialAsync again later.",
            error.Message);
        // The context is usable, and no work is left.
        await using var work = await db.BeginSerialAsync(Token);
    }

    [Fact]
    public async Task Work_with_one_attempt_fails_at_its_first_conflict_and_says_so()
    {
        string id = await BankContext.OpenAccountAsync(store.Node), other = await BankContext.OpenAccountAsync(store.Node);
        await using var db = NewContext();
        var read = await Assert.ThrowsAsync<ReadConflictException>(() => db.RunSerialAsync(async () =>
        {
            (await db.Accounts.FindAsync([id], Token))!.Balance += 10;
            await db.Accounts.FindAsync([other], Token);
            await ChangeAsync(other, static changed => changed.Balance = 50);
        }, maxAttempts: 1, Token));
        Assert.StartsWith(
            $"The Account '{other}', which the work has read, was changed. Nothing was saved. RunSerialAsync has run the work once, which is the limit of this call", read.Message, StringComparison.Ordinal);
        var added = await Assert.ThrowsAsync<EntityConflictException>(() => db.RunSerialAsync(() =>
        {
            db.Add(new Account { Id = id });
            return Task.CompletedTask;
        }, maxAttempts: 1, Token));
        Assert.StartsWith(
            $"The Account '{id}' cannot be added, because the store already has an entity with this key: let the work find it first (FindAsync). Nothing was saved. RunSerialAsync has run the work once",
            added.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Failed_save_of_each_attempt_tells_that_the_work_is_run_again()
    {
        string id = await BankContext.OpenAccountAsync(store.Node, balance: 0);
        await using var db = NewContext();
        var messages = new List<string>();
        db.SaveChangesFailed += (_, failed) => messages.Add(failed.Exception.Message);
        await db.RunSerialAsync(async () =>
        {
            (await db.Accounts.FindAsync([id], Token))!.Balance += 10;
            if (messages.Count < 2)
                await ChangeAsync(id, static changed => changed.Balance++);
        }, maxAttempts: 3, Token);
        Assert.Equal(2, messages.Count);
        Assert.EndsWith("RunSerialAsync discards the changes of the work and runs it again; this was attempt 2 of 3.", messages[1], StringComparison.Ordinal);
        Assert.Equal(12m, await BalanceAsync(id));
    }

    [Fact]
    public async Task Work_that_fails_for_another_reason_is_not_run_again()
    {
        await using var db = NewContext();
        int runs = 0;
        await Assert.ThrowsAsync<FormatException>(() => db.RunSerialAsync(() =>
        {
            runs++;
            throw new FormatException();
        }, Token));
        Assert.Equal(1, runs);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => db.RunSerialAsync(() => Task.CompletedTask, maxAttempts: 0, Token));
        await Assert.ThrowsAsync<ArgumentNullException>(() => db.RunSerialAsync((Func<Task>)null!, Token));
    }

    [Fact]
    public async Task Work_may_save_itself()
    {
        string id = await BankContext.OpenAccountAsync(store.Node, balance: 0);
        await using var db = NewContext();
        int written = await db.RunSerialAsync(async () =>
        {
            (await db.Accounts.FindAsync([id], Token))!.Balance = 5;
            return (int)await db.SaveChangesAsync(Token);
        }, Token);
        Assert.Equal((1, 5m), (written, await BalanceAsync(id)));
    }

    [Fact]
    public async Task Changes_after_the_save_of_a_work_are_not_dropped()
    {
        string id = await BankContext.OpenAccountAsync(store.Node, balance: 0);
        await using var db = NewContext();
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => db.RunSerialAsync(async () =>
        {
            var account = (await db.Accounts.FindAsync([id], Token))!;
            account.Balance = 5;
            await db.SaveChangesAsync(Token);
            account.Balance = 6;
        }, Token));
        Assert.Equal(
            "The serial unit of work was saved already, and one save ends it. What was saved before is stored; the changes since were not saved. In RunSerialAsync, leave the save to it. "
                + "Otherwise, dispose the work before you save other changes, or begin another one for these.",
            error.Message);
        Assert.Equal(5m, await BalanceAsync(id));
    }

    [Fact]
    public async Task Changes_from_before_the_work_are_not_lost()
    {
        await using var db = NewContext();
        db.Add(new Account { Id = Guid.NewGuid().ToString("N") });
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => db.RunSerialAsync(() => Task.CompletedTask, Token));
        Assert.StartsWith("The context has changes that are not saved", error.Message, StringComparison.Ordinal);
        Assert.Single(db.ChangeTracker.Entries());
    }

    [Fact]
    public async Task Concurrent_transfers_lose_no_money()
    {
        const int Accounts = 4, Workers = 6, Transfers = 15;
        var ids = new List<string>();
        for (int i = 0; i < Accounts; i++)
            ids.Add(await BankContext.OpenAccountAsync(store.Node, branch: "transfers"));
        await Task.WhenAll(Enumerable.Range(0, Workers).Select(worker => Task.Run(async () =>
        {
            var random = new Random(worker);
            await using var db = NewContext();
            for (int i = 0; i < Transfers; i++)
            {
                string from = ids[random.Next(Accounts)], to = ids[random.Next(Accounts)];
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
        await using var shown = NewContext();
        var balances = await shown.Accounts.Where(account => account.Branch == "transfers").Select(account => account.Balance).ToListAsync(Token);
        Assert.Equal((Accounts * 100m, true), (balances.Sum(), balances.TrueForAll(balance => balance >= 0)));
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

    static CancellationToken Token => TestContext.Current.CancellationToken;
}
