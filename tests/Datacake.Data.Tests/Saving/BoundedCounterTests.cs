using System.ComponentModel.DataAnnotations.Schema;
using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Data.Tests.Saving;

public class Concert
{
    public long Id { get; set; }

    public string Name { get; set; } = "";

    [Counter(Minimum = 0)]
    public int Tickets { get; set; }

    public long Guests { get; set; }

    [Counter(Maximum = 3), Column("r")]
    public long Reservations { get; set; }
}

public partial class ConcertContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Concert> Concerts { get; }

    protected override void OnModelCreating(ModelBuilder model) => model.Entity<Concert>().Property(c => c.Guests).IsCounter(-2, 5);
}

/// <summary>Counters with bounds on entities.</summary>
public class BoundedCounterTests(StoreFixture fixture)
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Save_that_would_pass_the_minimum_of_a_counter_fails_and_nothing_is_stored()
    {
        long id = await AddAsync(new Concert { Name = "Bach", Tickets = 5 });
        await using var db = NewContext();
        var concert = (await db.Concerts.FindAsync([id], Token))!;
        concert.Name = "Brahms";
        concert.Tickets -= 6;

        var refused = await Assert.ThrowsAsync<BoundExceededException>(() => db.SaveChangesAsync(Token));

        Assert.Same(concert, refused.Entry.Entity);
        Assert.Equal(("Tickets", 0L, 5L, 0L), (refused.Property, refused.Bound, refused.AvailableHere, refused.AvailableElsewhere));
        Assert.Equal(
            $"Tickets of the Concert {id} cannot be changed by -6, because its minimum is 0. This node may change it by 5 in this direction, and other nodes by 0, as far as is known here. "
                + "Nothing was saved. Reload the entity (Entry(entity).ReloadAsync()), and change the counter by less.",
            refused.Message);
        Assert.IsType<CounterBoundException>(refused.InnerException);
        Assert.Equal(("Bach", 5), await ShownAsync(id));

        await db.Entry(concert).ReloadAsync(Token);
        concert.Tickets -= 5;
        await db.SaveChangesAsync(Token);
        Assert.Equal(("Bach", 0), await ShownAsync(id));

        concert.Tickets--;
        refused = await Assert.ThrowsAsync<BoundExceededException>(() => db.SaveChangesAsync(Token));
        Assert.Equal(
            $"Tickets of the Concert {id} cannot be changed by -1, because its minimum is 0. None is left, neither on this node nor on others, as far as is known here. "
                + "Nothing was saved. Reload the entity (Entry(entity).ReloadAsync()) to discard the change.",
            refused.Message);
    }

    [Fact]
    public async Task Two_contexts_that_have_read_the_last_ticket_cannot_both_sell_it()
    {
        long id = await AddAsync(new Concert { Tickets = 1 });
        await using var one = NewContext();
        await using var other = NewContext();
        foreach (var db in (ConcertContext[])[one, other])
            (await db.Concerts.FindAsync([id], Token))!.Tickets--;

        await one.SaveChangesAsync(Token);
        await Assert.ThrowsAsync<BoundExceededException>(() => other.SaveChangesAsync(Token));
        Assert.Equal(0, (await ShownAsync(id)).Tickets);
    }

    [Theory]
    [InlineData("Tickets", -1)]
    [InlineData("Guests", 6)]
    [InlineData("Guests", -3)]
    [InlineData("r", 4)]
    public async Task Entity_cannot_be_added_with_a_counter_outside_its_bounds(string property, int value)
    {
        var concert = new Concert();
        if (property == "Tickets")
            concert.Tickets = value;
        else if (property == "Guests")
            concert.Guests = value;
        else
            concert.Reservations = value;
        var refused = await Assert.ThrowsAsync<BoundExceededException>(() => AddAsync(concert));
        Assert.Equal(property, refused.Property);
        Assert.Contains($"cannot be {value}, because its m", refused.Message);
    }

    [Fact]
    public async Task Bounds_that_the_model_sets_in_code_apply()
    {
        long id = await AddAsync(new Concert());
        await ChangeAsync(id, concert => concert.Guests += 5);
        await Assert.ThrowsAsync<BoundExceededException>(() => ChangeAsync(id, concert => concert.Guests++));
        await ChangeAsync(id, concert => concert.Guests -= 7);
        await Assert.ThrowsAsync<BoundExceededException>(() => ChangeAsync(id, concert => concert.Guests--));
    }

    [Fact]
    public async Task Update_in_the_store_obeys_the_bounds()
    {
        long id = await AddAsync(new Concert { Tickets = 2 });
        await using var db = NewContext();
        var refused = await Assert.ThrowsAsync<BoundExceededException>(
            () => db.Concerts.Where(c => c.Id == id).ExecuteUpdateAsync(s => s.SetProperty(c => c.Tickets, c => c.Tickets - 3), Token));
        Assert.Equal((2, 0, "Tickets", id), (refused.AvailableHere, refused.Bound, refused.Property, ((Concert)refused.Entry.Entity).Id));
        Assert.Equal(EntityState.Detached, refused.Entry.State);
        Assert.Contains($"Tickets of the Concert {id} cannot be changed by -3", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("Reload", refused.Message, StringComparison.Ordinal);
        Assert.Equal(1, await db.Concerts.Where(c => c.Id == id).ExecuteUpdateAsync(s => s.SetProperty(c => c.Tickets, c => c.Tickets - 2), Token));
        refused = await Assert.ThrowsAsync<BoundExceededException>(
            () => db.Concerts.Where(c => c.Id == id).ExecuteUpdateAsync(s => s.SetProperty(c => c.Tickets, c => c.Tickets - 1), Token));
        Assert.EndsWith("Nothing was saved. Exclude the entity from the update.", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stored_entity_with_a_bounded_counter_cannot_be_replaced()
    {
        long id = await AddAsync(new Concert { Tickets = 2 });
        await using var db = NewContext();
        db.Concerts.Put(new Concert { Id = id, Tickets = 9 });
        Assert.Contains("cannot be replaced", (await Assert.ThrowsAsync<InvalidOperationException>(() => db.SaveChangesAsync(Token))).Message);
    }

    [Fact]
    public async Task Nodes_that_cannot_reach_each_other_sell_no_more_than_there_is()
    {
        const int Count = 10;
        await using var cluster = new LocalCluster();
        await cluster.StartAsync(1);
        await cluster.StartAsync(2);
        long id;
        await using (var db = new ConcertContext(cluster[1]))
        {
            var concert = db.Concerts.Add(new Concert { Tickets = Count }).Entity;
            await db.SaveChangesAsync(Consistency.All, Token);
            id = concert.Id;
        }
        // A save on the other node gets what it lacks.
        await using (var db = new ConcertContext(cluster[2]))
        {
            (await db.Concerts.FindAsync([id], Token))!.Tickets -= 2;
            await db.SaveChangesAsync(Consistency.All, Token);
        }
        await cluster.StopAsync(2);

        int sold = 2;
        await using (var db = new ConcertContext(cluster[1]) { DefaultConsistency = Consistency.None })
        {
            var concert = (await db.Concerts.FindAsync([id], Token))!;
            while (true)
            {
                concert.Tickets--;
                try
                {
                    await db.SaveChangesAsync(Token);
                    sold++;
                }
                catch (BoundExceededException e)
                {
                    Assert.Equal((0, Count - sold), (e.AvailableHere, e.AvailableElsewhere));
                    break;
                }
            }
        }
        Assert.InRange(sold, 3, Count);
    }

    ConcertContext NewContext() => new(fixture.Node) { DefaultConsistency = Consistency.None };

    async Task<long> AddAsync(Concert concert)
    {
        await using var db = NewContext();
        db.Concerts.Add(concert);
        await db.SaveChangesAsync(Token);
        return concert.Id;
    }

    async Task ChangeAsync(long id, Action<Concert> change)
    {
        await using var db = NewContext();
        change((await db.Concerts.FindAsync([id], Token))!);
        await db.SaveChangesAsync(Token);
    }

    async Task<(string Name, int Tickets)> ShownAsync(long id)
    {
        await using var db = NewContext();
        var concert = (await db.Concerts.FindAsync([id], Token))!;
        return (concert.Name, concert.Tickets);
    }
}
