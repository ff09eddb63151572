using Datacake.Data.Tests.Shop;

namespace Datacake.Data.Tests.Query;

public class QueryExecutionTests(StoreFixture store)
{
    static int _lastPriority = 1_000;

    [Fact]
    public async Task ExecuteUpdate_changes_only_matching_entities()
    {
        await using var db = store.NewContext();
        int priority = await Save(db, 10);
        var tracked = await db.Tickets.Where(t => t.Priority == priority).FirstAsync(Token);
        int versions = 5;
        var result = await db.Tickets.Where(t => t.Priority == priority && t.Version < versions).ExecuteUpdateAsync(
            s => s.SetProperty(t => t.Title, t => t.Title + "!").SetProperty(t => t.Votes, t => t.Votes + 10).SetProperty(t => t.Place!.City, "Bonn"),
            Token);
        Assert.Equal(5, result.Count);
        Assert.False(result.Stamp.IsNone);
        Assert.Equal("title", tracked.Title);

        await using var other = store.NewContext();
        var all = await other.Tickets.Where(t => t.Priority == priority).OrderBy(t => t.Version).ToListAsync(Token);
        Assert.Equal(10, all.Count);
        Assert.All(all, (t, i) => Assert.Equal(i < 5 ? ("title!", 11L, "Bonn") : ("title", 1L, "Köln"), (t.Title, t.Votes, t.Place!.City)));
    }

    [Fact]
    public async Task ExecuteUpdate_computes_values_from_the_previous_state()
    {
        await using var db = store.NewContext();
        int priority = await Save(db, 1);
        await db.Tickets.Where(t => t.Priority == priority).ExecuteUpdateAsync(
            s => s.SetProperty(t => t.Version, 7).SetProperty(t => t.Votes, t => t.Version), Token);
        var ticket = await db.Tickets.SingleAsync(t => t.Priority == priority, Token);
        Assert.Equal((7, 0L), (ticket.Version, ticket.Votes));
    }

    [Fact]
    public async Task ExecuteDelete_deletes_only_matching_entities_even_with_Skip_and_Take()
    {
        await using var db = store.NewContext();
        int priority = await Save(db, 10);
        Assert.Equal(2, await db.Tickets.Where(t => t.Priority == priority).OrderByDescending(t => t.Version).Skip(1).Take(2).ExecuteDeleteAsync(Token));
        Assert.Equal([0, 1, 2, 3, 4, 5, 6, 9], await db.Tickets.Where(t => t.Priority == priority).Select(t => t.Version).OrderBy(v => v).ToListAsync(Token));
        Assert.Equal(8, await db.Tickets.Where(t => t.Priority == priority).ExecuteDeleteAsync(Token));
        Assert.Equal(0, await db.Tickets.Where(t => t.Priority == priority).ExecuteDeleteAsync(Token));
    }

    [Fact]
    public async Task ExecuteUpdate_without_changes_writes_nothing_and_returns_the_number_of_matches()
    {
        await using var db = store.NewContext();
        int priority = await Save(db, 3);
        var result = await db.Tickets.Where(t => t.Priority == priority).ExecuteUpdateAsync(s => s.SetProperty(t => t.Title, "title"), Token);
        Assert.Equal((3, 0), (result.Count, result.Written));
        Assert.True(result.Stamp.IsNone);
    }

    [Fact]
    public async Task An_update_that_breaks_rules_writes_nothing()
    {
        await using var db = store.NewContext();
        int priority = await Save(db, 3);
        var exception = await Assert.ThrowsAsync<EntityValidationException>(() => db.Tickets.Where(t => t.Priority == priority)
            .ExecuteUpdateAsync(s => s.SetProperty(t => t.Title, t => t.Version == 1 ? new string('x', 30) : "y"), Token));
        Assert.Single(exception.Errors);
        Assert.Equal(3, await db.Tickets.CountAsync(t => t.Priority == priority && t.Title == "title", Token));
    }

    [Fact]
    public async Task Concurrent_ExecuteUpdate_calls_lose_no_increments()
    {
        await using var db = store.NewContext();
        int priority = await Save(db, 5);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(async _ =>
        {
            await using var mine = store.NewContext();
            for (int i = 0; i < 3; i++)
                await mine.Tickets.Where(t => t.Priority == priority).ExecuteUpdateAsync(s => s.SetProperty(t => t.Version, t => t.Version + 100), Token);
        }));
        Assert.Equal([1200, 1201, 1202, 1203, 1204], await db.Tickets.Where(t => t.Priority == priority).Select(t => t.Version).OrderBy(v => v).ToListAsync(Token));
    }

    [Fact]
    public async Task ExecuteUpdate_of_a_property_that_cannot_be_updated_is_refused()
    {
        await using var db = store.NewContext();
        await Assert.ThrowsAsync<ArgumentException>(() => db.Tickets.ExecuteUpdateAsync(s => s.SetProperty(t => t.Id, 1L), Token));
        await Assert.ThrowsAsync<ArgumentException>(() => db.Tickets.ExecuteUpdateAsync(s => s.SetProperty(t => t.Title.Length, 1), Token));
        await Assert.ThrowsAsync<ArgumentException>(() => db.Tickets.ExecuteUpdateAsync(_ => { }, Token));
        var exception = await Assert.ThrowsAsync<InvalidOperationException>(() => db.Tickets.Select(t => t.Title).ExecuteDeleteAsync(Token));
        Assert.Contains("select", exception.Message, StringComparison.Ordinal);
    }

    static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Saves tickets with a priority that no other test uses, and with versions from 0.</summary>
    static async Task<int> Save(ShopContext db, int count)
    {
        int priority = Interlocked.Increment(ref _lastPriority);
        db.Tickets.AddRange(Enumerable.Range(0, count).Select(i => new Ticket
        {
            Id = (priority * 1_000L) + i,
            Priority = priority,
            Version = i,
            Title = "title",
            Votes = 1,
            Place = new Address { City = "Köln" },
        }));
        await db.SaveChangesAsync(Token);
        db.ChangeTracker.Clear();
        return priority;
    }
}
