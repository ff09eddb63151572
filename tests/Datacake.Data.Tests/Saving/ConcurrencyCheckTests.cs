using Datacake.Data.Tests.Modeling;
using Datacake.Data.Tests.Shop;
using Datacake.EventualConsistency;

namespace Datacake.Data.Tests.Saving;

public class ConcurrencyCheckTests(StoreFixture store)
{
    [Fact]
    public async Task Save_fails_if_a_concurrency_token_has_changed_since_it_was_read()
    {
        await using var mine = store.NewContext();
        await using var theirs = store.NewContext();
        var ticket = await Saved(mine);
        var same = (await theirs.Tickets.FindAsync([ticket.Id], Token))!;
        same.Version = 2;
        await theirs.SaveChangesAsync(Token);

        long added = NextId();
        mine.Tickets.Add(new Ticket { Id = added });
        ticket.Title = "mine";
        var exception = await Assert.ThrowsAsync<EntityConflictException>(() => mine.SaveChangesAsync(Token));
        Assert.Same(ticket, exception.Entry.Entity);
        Assert.Contains($"Ticket {ticket.Id}", exception.Message, StringComparison.Ordinal);
        Assert.Equal((EntityState.Modified, EntityState.Modified), (exception.Entry.State, mine.Entry(ticket).State));
        await using (var other = store.NewContext())
            Assert.Null(await other.Tickets.FindAsync([added], Token));

        await mine.Entry(ticket).ReloadAsync(Token);
        Assert.Equal(2, ticket.Version);
        ticket.Title = "mine";
        Assert.Equal(2, await mine.SaveChangesAsync(Token));
    }

    [Fact]
    public async Task Concurrency_token_that_is_a_set_is_compared_by_its_elements()
    {
        await using var mine = store.NewContext();
        await using var theirs = store.NewContext();
        var ticket = await Saved(mine);
        (await theirs.Tickets.FindAsync([ticket.Id], Token))!.Owners.Add("theirs");
        await theirs.SaveChangesAsync(Token);
        mine.Tickets.Remove(ticket);
        await Assert.ThrowsAsync<EntityConflictException>(() => mine.SaveChangesAsync(Token));
        Assert.Equal(EntityState.Deleted, mine.Entry(ticket).State);
        await mine.Entry(ticket).ReloadAsync(Token);
        mine.Tickets.Remove(ticket);
        Assert.Equal(1, await mine.SaveChangesAsync(Token));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Removing_a_missing_entity_with_a_concurrency_token_fails_the_save(bool isRead)
    {
        await using var mine = store.NewContext();
        await using var theirs = store.NewContext();
        var ticket = await Saved(theirs);
        mine.Tickets.Remove(isRead ? (await mine.Tickets.FindAsync([ticket.Id], Token))! : new Ticket { Id = ticket.Id, Version = 1, Owners = ["first"] });
        theirs.Tickets.Remove(ticket);
        Assert.Equal(1, await theirs.SaveChangesAsync(Token));
        var exception = await Assert.ThrowsAsync<EntityConflictException>(() => mine.SaveChangesAsync(Token));
        Assert.Contains($"The Ticket {ticket.Id} is not in the store", exception.Message, StringComparison.Ordinal);
        Assert.Null(await exception.Entry.GetDatabaseValuesAsync(Token));
        exception.Entry.State = EntityState.Detached;
        Assert.Equal(0, await mine.SaveChangesAsync(Token));
    }

    [Fact]
    public async Task Removing_a_missing_entity_without_a_concurrency_token_succeeds()
    {
        await using var mine = store.NewContext();
        await using var theirs = store.NewContext();
        var product = new Product { Id = 70_000_000 + NextId() };
        theirs.Products.Add(product);
        await theirs.SaveChangesAsync(Token);
        mine.Products.Remove((await mine.Products.FindAsync([product.Id], Token))!);
        theirs.Products.Remove(product);
        await theirs.SaveChangesAsync(Token);
        Assert.Equal(1, await mine.SaveChangesAsync(Token));
    }

    [Fact]
    public async Task Changes_of_properties_that_are_no_concurrency_tokens_do_not_fail_a_save()
    {
        await using var mine = store.NewContext();
        await using var theirs = store.NewContext();
        var ticket = await Saved(mine);
        (await theirs.Tickets.FindAsync([ticket.Id], Token))!.Priority = 7;
        await theirs.SaveChangesAsync(Token);
        (ticket.Title, ticket.Version) = ("mine", 2);
        await mine.SaveChangesAsync(Token);
        ticket.Version = 3;
        await mine.SaveChangesAsync(Token);
        await mine.Entry(ticket).ReloadAsync(Token);
        Assert.Equal(("mine", 3, 7), (ticket.Title, ticket.Version, ticket.Priority));
    }

    [Fact]
    public async Task Concurrent_increments_of_a_version_are_not_lost()
    {
        await using var db = store.NewContext();
        var ticket = await Saved(db);
        const int writers = 8, increments = 5;
        await Task.WhenAll(Enumerable.Range(0, writers).Select(async _ =>
        {
            for (int done = 0; done < increments;)
            {
                await using var mine = store.NewContext();
                (await mine.Tickets.FindAsync([ticket.Id], Token))!.Version++;
                try
                {
                    await mine.SaveChangesAsync(Token);
                    done++;
                }
                catch (EntityConflictException)
                {
                    // Another writer was first, so retry.
                }
            }
        }));
        await db.Entry(ticket).ReloadAsync(Token);
        Assert.Equal(1 + (writers * increments), ticket.Version);
    }

    [Fact]
    public async Task Property_of_an_owned_object_can_be_a_concurrency_token()
    {
        await using var mine = new FleetContext(store.Node) { DefaultConsistency = Consistency.None };
        await using var theirs = new FleetContext(store.Node) { DefaultConsistency = Consistency.None };
        var truck = new Truck { Plate = new("CHECKED"), Owner = "me", License = "C", Engine = new("diesel") };
        mine.Vehicles.Add(truck);
        await mine.SaveChangesAsync(Token);
        var same = (Truck)(await theirs.Vehicles.FindAsync([truck.Plate], Token))!;
        same.Engine = new("hydrogen");
        await theirs.SaveChangesAsync(Token);
        truck.Seats = 3;
        await Assert.ThrowsAsync<EntityConflictException>(() => mine.SaveChangesAsync(Token));
        await mine.Entry<Vehicle>(truck).ReloadAsync(Token);
        mine.Vehicles.Remove(truck);
        await mine.SaveChangesAsync(Token);
    }

    [Fact]
    public async Task Raw_transaction_is_committed_only_if_its_requirements_are_met()
    {
        var replicated = await store.Node.OpenStoreAsync(Token);
        var transaction = new Transaction();
        transaction.Put("required", 1, Datacake.Crdt.DocumentContent.OfRaw([1]));
        transaction.Require("required", 1, document => document is null);
        await replicated.CommitAsync(transaction, Consistency.None, Token);
        var exception = await Assert.ThrowsAsync<TransactionConflictException>(
            async () => await replicated.CommitAsync(transaction, Consistency.None, Token));
        Assert.Equal(("required", (DocumentKey)1), (exception.Keyspace, exception.Key));
    }

    static CancellationToken Token => TestContext.Current.CancellationToken;

    static long _lastId;

    static long NextId() => Interlocked.Increment(ref _lastId);

    static async Task<Ticket> Saved(ShopContext db)
    {
        var ticket = new Ticket { Id = NextId(), Version = 1, Owners = ["first"] };
        db.Tickets.Add(ticket);
        await db.SaveChangesAsync(Token);
        return ticket;
    }
}
