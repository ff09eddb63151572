using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Data.Tests.Relations;

public class DeleteBehaviorTests : TradingStore
{
    [Theory, MemberData(nameof(Stores))]
    public async Task Dependents_are_deleted_with_their_required_principal(string provider)
    {
        await using var node = await FilledAsync(provider);
        await using var db = NewContext(node);
        db.Customers.Remove((await db.Customers.FindAsync([1L], Token))!);
        // Deletes the customer, three orders, two lines, a passport and a complaint.
        Assert.Equal(8, await db.SaveChangesAsync(Token));
        Assert.Equal([13L], await db.Orders.Select(o => o.Id).ToListAsync(Token));
        Assert.Equal(0, await db.Passports.CountAsync(Token));
        Assert.Equal(0, await db.Complaints.CountAsync(Token));
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task Foreign_keys_of_optional_dependents_become_null(string provider)
    {
        await using var node = await FilledAsync(provider);
        await using var db = NewContext(node);
        var tracked = (await db.Orders.Include(o => o.Agent).SingleAsync(o => o.Id == 11, Token))!;
        db.Employees.Remove(tracked.Agent!);
        Assert.Equal(3, await db.SaveChangesAsync(Token));
        Assert.Equal((null, null), (tracked.SoldBy, tracked.Agent));
        Assert.Equal([11L, 12L, 14L], await NewContext(node).Orders.Where(o => o.SoldBy == null).Select(o => o.Id).ToListAsync(Token));
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task Restricted_delete_is_refused_and_names_a_dependent_unless_that_is_deleted_too(string provider)
    {
        await using var node = await FilledAsync(provider);
        await using var db = NewContext(node);
        var cake = (await db.Products.FindAsync([1L], Token))!;
        db.Products.Remove(cake);
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => db.SaveChangesAsync(Token));
        Assert.Contains("cannot be deleted, because the OrderLine", error.Message, StringComparison.Ordinal);
        Assert.Contains("refers to it by ProductId", error.Message, StringComparison.Ordinal);
        Assert.Single(db.ChangeTracker.Entries());
        db.Orders.Remove((await db.Orders.FindAsync([11L], Token))!);
        Assert.Equal(4, await db.SaveChangesAsync(Token));
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task Dependents_are_unchanged_if_the_delete_behavior_is_to_do_nothing(string provider)
    {
        await using var node = await FilledAsync(provider);
        await using var db = NewContext(node);
        var ann = await db.Customers.Include(c => c.Country).SingleAsync(c => c.Id == 1, Token);
        db.Countries.Remove(ann.Country!);
        Assert.Equal(1, await db.SaveChangesAsync(Token));
        Assert.Equal("se", (await NewContext(node).Customers.FindAsync([1L], Token))!.CountryCode);
        Assert.Equal(0, await db.SaveChangesAsync(Token));
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task Failed_save_restores_foreign_keys(string provider)
    {
        await using var node = await FilledAsync(provider);
        await using var db = NewContext(node);
        var order = await db.Orders.Include(o => o.Agent).SingleAsync(o => o.Id == 11, Token);
        var pia = order.Agent!;
        db.Employees.Remove(pia);
        await Assert.ThrowsAsync<NotEnoughNodesException>(() => db.SaveChangesAsync(Consistency.Three, Token));
        Assert.Equal((2L, pia), (order.SoldBy!.Value, order.Agent));
        db.Entry(pia).State = EntityState.Unchanged;
        Assert.Equal(0, await db.SaveChangesAsync(Token));
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task ExecuteDelete_applies_the_delete_behavior_to_dependents(string provider)
    {
        await using var node = await FilledAsync(provider);
        await using var db = NewContext(node);
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => db.Products.Where(p => p.Name == "cake").ExecuteDeleteAsync(Token));
        Assert.Contains("The Product 1 cannot be deleted, because the OrderLine", error.Message, StringComparison.Ordinal);
        Assert.Equal(2, await db.Products.CountAsync(Token));
        var agents = await db.Employees.Where(e => e.Id == 2).ExecuteDeleteAsync(Token);
        Assert.Equal((1, 3), ((int)agents, agents.Written));
        Assert.Equal([11L, 12L, 14L], await db.Orders.Where(o => o.SoldBy == null).Select(o => o.Id).ToListAsync(Token));
        var customers = await db.Customers.Where(c => c.Name == "Ann").ExecuteDeleteAsync(Token);
        Assert.Equal((1, 8), ((int)customers, customers.Written));
        Assert.Equal([13L], await db.Orders.Select(o => o.Id).ToListAsync(Token));
        Assert.Equal(1, await db.Products.Where(p => p.Name == "cake").ExecuteDeleteAsync(Token));
    }
}
