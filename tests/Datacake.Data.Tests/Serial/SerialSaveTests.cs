using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Data.Tests.Serial;

/// <summary>Entities that merge, with counters that have bounds.</summary>
public sealed class Hall
{
    public Guid Id { get; set; }

    public string Name { get; set; } = "";

    [Counter(Minimum = -2, Maximum = 5)]
    public int Guests { get; set; }
}

public sealed class TicketBox
{
    public Guid Id { get; set; }

    [Counter(Minimum = 0)]
    public int Tickets { get; set; }
}

public sealed partial class HallContext(DatacakeNode node) : DatacakeContext(node)
{
    [Keyspace("SerialHalls")]
    public partial Keyspace<Hall> Halls { get; }

    [Keyspace("SerialTicketBoxes")]
    public partial Keyspace<TicketBox> Boxes { get; }
}

public class SerialSaveTests(StoreFixture store)
{
    [Fact]
    public async Task Saved_entity_of_a_serial_class_is_read_by_another_context()
    {
        await using var db = NewContext();
        var account = new Account { Id = NewId(), Balance = 5, Tags = ["new"], Limits = new AccountLimits { PerDay = 7 } };
        db.Accounts.Add(account);
        var result = await db.SaveChangesAsync(Consistency.None, Token);
        Assert.Equal(1, result.Count);
        Assert.Equal(EntityState.Unchanged, db.Entry(account).State);
        await using var other = NewContext();
        await other.WaitForAsync(result.Token, Token);
        var read = (await other.Accounts.FindAsync([account.Id], Token))!;
        Assert.Equal((5m, "new", 7m), (read.Balance, read.Tags.Single(), read.Limits!.PerDay));
        Assert.False(other.ChangeTracker.HasChanges());
    }

    [Theory]
    [InlineData(Consistency.None)]
    [InlineData(Consistency.All)]
    [InlineData(Consistency.Serial)]
    public async Task Change_of_an_entity_that_has_changed_since_it_was_read_fails_at_every_level(Consistency level)
    {
        string id = await BankContext.OpenAccountAsync(store.Node);
        await using var mine = NewContext();
        await using var theirs = NewContext();
        var account = (await mine.Accounts.FindAsync([id], Token))!;
        (await theirs.Accounts.FindAsync([id], Token))!.Owner = "Theirs";
        await theirs.SaveChangesAsync(level, Token);

        account.Balance += 1;
        var error = await Assert.ThrowsAsync<EntityConflictException>(() => mine.SaveChangesAsync(level, Token));
        Assert.Same(account, error.Entry.Entity);
        Assert.StartsWith($"The Account '{id}' was changed after it was read. Nothing was saved. Reload it", error.Message, StringComparison.Ordinal);
        Assert.Equal("Theirs", (await error.Entry.GetDatabaseValuesAsync(Token))!["Owner"]);
        Assert.Equal(EntityState.Modified, mine.Entry(account).State);

        await error.Entry.ReloadAsync(Token);
        Assert.Equal(("Theirs", 100m), (account.Owner, account.Balance));
        account.Balance += 1;
        Assert.Equal(1, await mine.SaveChangesAsync(level, Token));
    }

    [Fact]
    public async Task Entity_is_saved_again_and_again_by_one_context()
    {
        string id = await BankContext.OpenAccountAsync(store.Node, balance: 0);
        await using var db = NewContext();
        var account = (await db.Accounts.FindAsync([id], Token))!;
        for (int i = 1; i <= 5; i++)
        {
            account.Balance = i;
            account.Tags.Add($"tag {i}");
            account.Limits = i % 2 == 0 ? new AccountLimits { PerDay = i } : null;
            Assert.Equal(1, await db.SaveChangesAsync(Token));
            Assert.False(db.ChangeTracker.HasChanges());
        }
        await using var other = NewContext();
        var read = (await other.Accounts.FindAsync([id], Token))!;
        Assert.Equal((5m, 5), (read.Balance, read.Tags.Count));
        Assert.Null(read.Limits);
        db.Remove(account);
        Assert.Equal(1, await db.SaveChangesAsync(Token));
        Assert.Null(await NewContext().Accounts.FindAsync([id], Token));
    }

    [Fact]
    public async Task All_entities_that_conflict_are_reported()
    {
        string first = await BankContext.OpenAccountAsync(store.Node), second = await BankContext.OpenAccountAsync(store.Node), third = await BankContext.OpenAccountAsync(store.Node);
        await using var mine = NewContext();
        var accounts = new List<Account>();
        foreach (string id in new[] { first, second, third })
            accounts.Add((await mine.Accounts.FindAsync([id], Token))!);
        await using (var theirs = NewContext())
        {
            (await theirs.Accounts.FindAsync([first], Token))!.Balance = 1;
            theirs.Remove((await theirs.Accounts.FindAsync([third], Token))!);
            await theirs.SaveChangesAsync(Token);
        }
        accounts.ForEach(account => account.Balance += 5);
        var error = await Assert.ThrowsAsync<EntityConflictException>(() => mine.SaveChangesAsync(Token));
        Assert.Equal([first, third], error.Entries.Select(entry => ((Account)entry.Entity).Id));
        Assert.Contains($"The save conflicts in 2 entities, which Entries lists: Account '{first}', Account '{third}'.", error.Message, StringComparison.Ordinal);
        Assert.Null(await error.Entries[1].GetDatabaseValuesAsync(Token));
        await using var other = NewContext();
        Assert.Equal(100m, (await other.Accounts.FindAsync([second], Token))!.Balance);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Changed_entities_of_a_conflict_are_modified_when_the_exception_is_caught(bool isWork)
    {
        // Its classes have relations, so that a save that fails restores the states.
        await using var mine = new PurchaseContext(store.Node);
        var purchase = new Purchase { Customer = "first" };
        var untouched = new Purchase { Customer = "untouched" };
        mine.AddRange(purchase, untouched);
        await mine.SaveChangesAsync(Token);
        await using (var theirs = new PurchaseContext(store.Node))
        {
            (await theirs.Set<Purchase>().FindAsync([purchase.Id], Token))!.Customer = "theirs";
            await theirs.SaveChangesAsync(Token);
        }
        await using var work = isWork ? await mine.BeginSerialAsync(Token) : null;
        purchase.Customer = "mine";
        var error = await Assert.ThrowsAsync<EntityConflictException>(() => mine.SaveChangesAsync(Token));
        Assert.Equal((purchase, EntityState.Modified), (error.Entry.Entity, error.Entry.State));
        Assert.Equal(EntityState.Unchanged, mine.Entry(untouched).State);
        Assert.Equal(("first", "theirs"), ((string?)error.Entry.OriginalValues["Customer"], (string?)(await error.Entry.GetDatabaseValuesAsync(Token))!["Customer"]));
    }

    [Fact]
    public async Task Delete_of_an_entity_that_has_changed_since_it_was_read_fails()
    {
        string id = await BankContext.OpenAccountAsync(store.Node);
        await using var mine = NewContext();
        var account = (await mine.Accounts.FindAsync([id], Token))!;
        await ChangeAsync(id, changed => changed.Balance = 1);
        mine.Remove(account);
        await Assert.ThrowsAsync<EntityConflictException>(() => mine.SaveChangesAsync(Token));
        Assert.Equal(EntityState.Deleted, mine.Entry(account).State);
        await mine.Entry(account).ReloadAsync(Token);
        mine.Remove(account);
        Assert.Equal(1, await mine.SaveChangesAsync(Token));
    }

    [Fact]
    public async Task Change_of_a_deleted_entity_fails()
    {
        string id = await BankContext.OpenAccountAsync(store.Node);
        await using var mine = NewContext();
        var account = (await mine.Accounts.FindAsync([id], Token))!;
        await using (var theirs = NewContext())
        {
            theirs.Remove(new Account { Id = id });
            await theirs.SaveChangesAsync(Token);
        }
        account.Balance = 1;
        var error = await Assert.ThrowsAsync<EntityConflictException>(() => mine.SaveChangesAsync(Token));
        Assert.StartsWith($"The Account '{id}' is not in the store", error.Message, StringComparison.Ordinal);
        Assert.Null(await error.Entry.GetDatabaseValuesAsync(Token));
    }

    [Fact]
    public async Task Entity_with_the_key_of_a_stored_one_cannot_be_added()
    {
        string id = await BankContext.OpenAccountAsync(store.Node);
        await using var db = NewContext();
        db.Accounts.Add(new Account { Id = id, Balance = 7 });
        var error = await Assert.ThrowsAsync<EntityConflictException>(() => db.SaveChangesAsync(Token));
        Assert.StartsWith($"The Account '{id}' cannot be added, because the store already has an entity with this key.", error.Message, StringComparison.Ordinal);
        db.ChangeTracker.Clear();
        db.Accounts.Put(new Account { Id = id, Balance = 7 });
        Assert.Equal(1, await db.SaveChangesAsync(Token));
        await using var other = NewContext();
        Assert.Equal((7m, ""), ((await other.Accounts.FindAsync([id], Token))!.Balance, (await other.Accounts.FindAsync([id], Token))!.Owner));
    }

    [Fact]
    public async Task Entity_replaces_one_that_was_removed_only_if_that_is_unchanged()
    {
        string id = await BankContext.OpenAccountAsync(store.Node);
        await using var mine = NewContext();
        var account = (await mine.Accounts.FindAsync([id], Token))!;
        await ChangeAsync(id, changed => changed.Balance = 1);
        mine.Remove(account);
        mine.Add(new Account { Id = id, Balance = 9 });
        await Assert.ThrowsAsync<EntityConflictException>(() => mine.SaveChangesAsync(Token));
        mine.ChangeTracker.Clear();
        mine.Remove((await mine.Accounts.FindAsync([id], Token))!);
        mine.Add(new Account { Id = id, Balance = 9 });
        Assert.Equal(1, await mine.SaveChangesAsync(Token));
    }

    [Fact]
    public async Task Update_of_an_entity_that_was_not_read_overwrites_it_whatever_it_is()
    {
        string id = await BankContext.OpenAccountAsync(store.Node);
        await ChangeAsync(id, changed => changed.Tags = ["old"]);
        await using var db = NewContext();
        db.Update(new Account { Id = id, Owner = "new", Tags = ["new"] });
        Assert.Equal(1, await db.SaveChangesAsync(Token));
        await using var other = NewContext();
        var read = (await other.Accounts.FindAsync([id], Token))!;
        Assert.Equal(("new", 0m, "new"), (read.Owner, read.Balance, read.Tags.Single()));

        db.ChangeTracker.Clear();
        string missing = NewId();
        db.Update(new Account { Id = missing });
        var error = await Assert.ThrowsAsync<EntityConflictException>(() => db.SaveChangesAsync(Token));
        Assert.Contains($"The Account '{missing}' is not in the store", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Attached_entity_is_saved_only_if_the_store_has_its_former_values()
    {
        string id = await BankContext.OpenAccountAsync(store.Node, balance: 10);
        await using var db = NewContext();
        var account = new Account { Id = id, Owner = "Ada", Balance = 10 };
        db.Attach(account);
        account.Balance = 11;
        Assert.Equal(1, await db.SaveChangesAsync(Token));

        db.ChangeTracker.Clear();
        var outdated = new Account { Id = id, Owner = "Ada", Balance = 10 };
        db.Attach(outdated);
        outdated.Balance = 12;
        var error = await Assert.ThrowsAsync<EntityConflictException>(() => db.SaveChangesAsync(Token));
        error.Entry.OriginalValues.SetValues((await error.Entry.GetDatabaseValuesAsync(Token))!);
        Assert.Equal(1, await db.SaveChangesAsync(Token));
        await using var other = NewContext();
        Assert.Equal(12m, (await other.Accounts.FindAsync([id], Token))!.Balance);
    }

    [Fact]
    public async Task Remove_by_key_deletes_the_entity_whatever_it_is()
    {
        string id = await BankContext.OpenAccountAsync(store.Node);
        await using var db = NewContext();
        db.Remove(new Account { Id = id });
        Assert.Equal(1, await db.SaveChangesAsync(Token));
        db.Remove(new Account { Id = id });
        Assert.Equal(1, await db.SaveChangesAsync(Token));
        Assert.Null(await db.Accounts.FindAsync([id], Token));
    }

    [Fact]
    public async Task Properties_that_a_version_does_not_know_survive_its_changes()
    {
        string id = await BankContext.OpenAccountAsync(store.Node);
        await ChangeAsync(id, changed => (changed.Tags, changed.Limits) = (["kept"], new AccountLimits { PerMonth = 3 }));
        await using (var old = new OldBankContext(store.Node))
        {
            var account = (await old.Accounts.FindAsync([id], Token))!;
            for (int i = 1; i <= 3; i++)
            {
                account.Balance = i;
                await old.SaveChangesAsync(Token);
            }
        }
        await using var db = NewContext();
        var read = (await db.Accounts.FindAsync([id], Token))!;
        Assert.Equal((3m, "Ada", "kept", 3m), (read.Balance, read.Owner, read.Tags.Single(), read.Limits!.PerMonth));
    }

    [Fact]
    public async Task Merging_entities_are_saved_together_with_serial_ones_or_not_at_all()
    {
        string id = await BankContext.OpenAccountAsync(store.Node);
        var remark = new Remark { Text = "first" };
        await using var mine = NewContext();
        var account = (await mine.Accounts.FindAsync([id], Token))!;
        account.Balance = 1;
        mine.Add(remark);
        Assert.Equal(2, await mine.SaveChangesAsync(Token));
        remark.Text = "second";
        account.Balance = 2;
        await ChangeAsync(id, changed => changed.Balance = 50);
        await Assert.ThrowsAsync<EntityConflictException>(() => mine.SaveChangesAsync(Token));
        await using (var other = NewContext())
            Assert.Equal("first", (await other.Remarks.FindAsync([remark.Id], Token))!.Text);
        await mine.Entry(account).ReloadAsync(Token);
        account.Balance = 2;
        Assert.Equal(2, await mine.SaveChangesAsync(Token));
        await using (var other = NewContext())
            Assert.Equal("second", (await other.Remarks.FindAsync([remark.Id], Token))!.Text);
    }

    [Fact]
    public async Task Serial_save_that_adds_to_a_counter_is_refused()
    {
        string id = await BankContext.OpenAccountAsync(store.Node);
        var remark = new Remark { Text = "first", Views = 3 };
        await using var db = NewContext();
        (await db.Accounts.FindAsync([id], Token))!.Balance = 1;
        db.Add(remark);
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => db.SaveChangesAsync(Token));
        Assert.StartsWith($"The save adds 3 to the counter Views of the Remark {remark.Id}, and it is serial", error.Message, StringComparison.Ordinal);
        await using (var other = NewContext())
        {
            Assert.Equal(100m, (await other.Accounts.FindAsync([id], Token))!.Balance);
            Assert.Null(await other.Remarks.FindAsync([remark.Id], Token));
        }
        remark.Views = 0;
        Assert.Equal(2, await db.SaveChangesAsync(Token));
        remark.Views = 3;
        Assert.Equal(1, await db.SaveChangesAsync(Token));
        remark.Views = 5;
        await Assert.ThrowsAsync<InvalidOperationException>(() => db.SaveChangesAsync(Consistency.Serial, Token));
        await Assert.ThrowsAsync<InvalidOperationException>(
            () => db.Remarks.Where(known => known.Id == remark.Id).ExecuteUpdateAsync(set => set.SetProperty(known => known.Views, 9), Consistency.Serial, Token));
        await using var shown = NewContext();
        Assert.Equal(3, (await shown.Remarks.FindAsync([remark.Id], Token))!.Views);
    }

    [Fact]
    public async Task Serial_save_that_adds_an_entity_with_bounds_that_it_cannot_store_is_refused()
    {
        await using var db = new HallContext(store.Node) { DefaultConsistency = Consistency.None };
        var hall = new Hall();
        db.Add(hall);
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => db.SaveChangesAsync(Consistency.Serial, Token));
        Assert.StartsWith($"The save adds the Hall {hall.Id}, whose counter Guests has other bounds than a minimum of 0, and it is serial", error.Message, StringComparison.Ordinal);
        db.ChangeTracker.Clear();
        db.Halls.Put(hall);
        await Assert.ThrowsAsync<InvalidOperationException>(() => db.SaveChangesAsync(Consistency.Serial, Token));
        Assert.Equal(1, await db.SaveChangesAsync(Token));
        // Its other properties can be saved serially, and the bounds hold.
        hall.Name = "big";
        Assert.Equal(1, await db.SaveChangesAsync(Consistency.Serial, Token));
        db.ChangeTracker.Clear();
        db.Update(hall);
        Assert.Equal(1, await db.SaveChangesAsync(Consistency.Serial, Token));
        hall.Guests = 6;
        await Assert.ThrowsAsync<BoundExceededException>(() => db.SaveChangesAsync(Token));
    }

    [Fact]
    public async Task Counter_with_the_minimum_zero_keeps_it_in_an_entity_that_is_added_serially()
    {
        await using var db = new HallContext(store.Node) { DefaultConsistency = Consistency.None };
        var box = new TicketBox();
        db.Add(box);
        Assert.Equal(1, await db.SaveChangesAsync(Consistency.Serial, Token));
        box.Tickets = 2;
        Assert.Equal(1, await db.SaveChangesAsync(Token));
        box.Tickets = -1;
        var error = await Assert.ThrowsAsync<BoundExceededException>(() => db.SaveChangesAsync(Token));
        Assert.Equal(0, error.Bound);
    }

    [Theory]
    [InlineData(Consistency.Serial)]
    [InlineData(Consistency.Quorum)]
    public async Task Query_at_a_level_refreshes_tracked_entities_without_pending_changes(Consistency level)
    {
        string branch = NewId(), read = await BankContext.OpenAccountAsync(store.Node, branch: branch), changed = await BankContext.OpenAccountAsync(store.Node, branch: branch), card = NewId();
        await using var db = NewContext();
        db.Add(new Card { Id = card, AccountId = read });
        await db.SaveChangesAsync(Token);
        var accounts = db.Accounts.Where(account => account.Branch == branch);
        var known = await accounts.Include(account => account.Cards).ToDictionaryAsync(account => account.Id, Token);
        var shownCard = known[read].Cards.Single();
        await using (var theirs = NewContext())
        {
            foreach (var account in await theirs.Accounts.Where(account => account.Branch == branch).ToListAsync(Token))
                (account.Balance, account.Tags) = (50, ["theirs"]);
            (await theirs.Cards.FindAsync([card], Token))!.AccountId = changed;
            await theirs.SaveChangesAsync(Token);
        }
        known[changed].Owner = "mine";

        Assert.Equal(200m, (await accounts.ToListAsync(Token)).Sum(account => account.Balance));
        var consistent = db.Accounts.WithConsistency(level).Where(account => account.Branch == branch);
        Assert.Equal(2, (await consistent.ToListAsync(Token)).Count);
        Assert.Equal((50m, "theirs", EntityState.Unchanged), (known[read].Balance, known[read].Tags.Single(), db.Entry(known[read]).State));
        Assert.Equal((100m, "mine", EntityState.Modified), (known[changed].Balance, known[changed].Owner, db.Entry(known[changed]).State));
        await consistent.Include(account => account.Cards).ToListAsync(Token);
        Assert.Equal(changed, shownCard.AccountId);
        // An instance that is up to date keeps the objects that it owns.
        var tags = known[read].Tags;
        await consistent.ToListAsync(Token);
        Assert.Same(tags, known[read].Tags);
        known[read].Balance += 1;
        await db.Entry(known[changed]).ReloadAsync(Token);
        Assert.Equal(1, await db.SaveChangesAsync(Token));
    }

    [Fact]
    public async Task Checks_of_merging_entities_apply_to_serial_saves()
    {
        var remark = new Remark { Text = "first" };
        await using var mine = NewContext();
        mine.Add(remark);
        await mine.SaveChangesAsync(Consistency.Serial, Token);
        await using (var theirs = NewContext())
        {
            var same = (await theirs.Remarks.FindAsync([remark.Id], Token))!;
            same.Version++;
            await theirs.SaveChangesAsync(Consistency.Serial, Token);
        }
        remark.Text = "mine";
        var error = await Assert.ThrowsAsync<EntityConflictException>(() => mine.SaveChangesAsync(Consistency.Serial, Token));
        Assert.Contains("was changed after it was read (Version)", error.Message, StringComparison.Ordinal);
        await using (var theirs = NewContext())
        {
            theirs.Add(new Remark { Id = remark.Id });
            await Assert.ThrowsAsync<EntityConflictException>(() => theirs.SaveChangesAsync(Consistency.Serial, Token));
        }
        await mine.Entry(remark).ReloadAsync(Token);
        await using (var theirs = NewContext())
        {
            theirs.Remove((await theirs.Remarks.FindAsync([remark.Id], Token))!);
            await theirs.SaveChangesAsync(Token);
        }
        remark.Text = "gone";
        error = await Assert.ThrowsAsync<EntityConflictException>(() => mine.SaveChangesAsync(Consistency.Serial, Token));
        Assert.Contains("is not in the store", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Save_without_changes_does_nothing_at_the_serial_level()
    {
        await using var db = NewContext();
        var result = await db.SaveChangesAsync(Consistency.Serial, Token);
        Assert.Equal(0, result.Count);
        Assert.True(result.Stamp.IsNone);
    }

    [Fact]
    public async Task Dependents_of_a_deleted_serial_entity_are_deleted_with_it()
    {
        string id = await BankContext.OpenAccountAsync(store.Node), card = NewId();
        await using var db = NewContext();
        var account = (await db.Accounts.FindAsync([id], Token))!;
        account.Cards.Add(new Card { Id = card });
        Assert.Equal(1, await db.SaveChangesAsync(Token));
        db.ChangeTracker.Clear();
        db.Remove((await db.Accounts.FindAsync([id], Token))!);
        Assert.Equal(2, await db.SaveChangesAsync(Token));
        Assert.Null(await db.Cards.FindAsync([card], Token));
    }

    [Fact]
    public async Task Raw_write_to_a_serial_keyspace_is_refused()
    {
        string id = await BankContext.OpenAccountAsync(store.Node);
        var opened = await store.Node.OpenStoreAsync(Token);
        var accounts = opened.Keyspace("BankAccounts");
        var error = await Assert.ThrowsAsync<InvalidOperationException>(async () => await accounts.PutAsync(id, new byte[] { 1 }, Consistency.None, Token));
        Assert.Contains("The keyspace 'BankAccounts' is serial", error.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await accounts.DeleteAsync(id, Consistency.None, Token));
        await using var db = NewContext();
        Assert.Equal(100m, (await db.Accounts.FindAsync([id], Token))!.Balance);
    }

    [Fact]
    public async Task Entity_that_is_too_large_is_named()
    {
        await using var db = NewContext();
        string id = NewId();
        db.Add(new Account { Id = id, Owner = new string('x', 9 * 1024 * 1024) });
        var error = await Assert.ThrowsAsync<SaveLimitException>(() => db.SaveChangesAsync(Token));
        Assert.Equal(id, ((Account)error.Entry!.Entity).Id);
    }

    async Task ChangeAsync(string id, Action<Account> change)
    {
        await using var db = NewContext();
        change((await db.Accounts.FindAsync([id], Token))!);
        await db.SaveChangesAsync(Token);
    }

    BankContext NewContext() => BankContext.Of(store.Node);

    static string NewId() => Guid.NewGuid().ToString("N");

    static CancellationToken Token => TestContext.Current.CancellationToken;
}
