using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Data.Tests.Relations;

public class RelatedSavingTests : TradingStore
{
    [Theory, MemberData(nameof(Stores))]
    public async Task Added_entity_is_saved_with_all_reachable_entities(string provider)
    {
        await using var node = await FilledAsync(provider);
        await using var db = NewContext(node);
        var tea = (await db.Products.FindAsync([2L], Token))!;
        var dan = new Customer { Name = "Dan", Country = new Country { Code = "no", Name = "Norway" }, Passport = new Passport { Number = "P4" } };
        dan.Orders.Add(new Order { Total = 7, Lines = [OrderLine.Of(1, tea, 4), OrderLine.Of(2, new Product { Name = "jam" })] });
        db.Customers.Add(dan);
        Assert.Equal(EntityState.Added, db.Entry(dan.Orders[0]).State);
        Assert.Equal(7, await db.SaveChangesAsync(Token));
        Assert.NotEqual(0, dan.Id);
        await using var other = NewContext(node);
        var stored = await other.Customers.Include(c => c.Country).Include(c => c.Passport).Include(c => c.Orders).ThenInclude(o => o.Lines).ThenInclude(l => l.Product).SingleAsync(c => c.Name == "Dan", Token);
        Assert.Equal(("Norway", "P4", dan.Id), (stored.Country!.Name, stored.Passport!.Number, stored.Id));
        Assert.Equal(["4 tea", "1 jam"], Assert.Single(stored.Orders).Lines!.OrderBy(l => l.Number).Select(l => $"{l.Quantity} {l.Product!.Name}"));
        Assert.Equal(0, await db.SaveChangesAsync(Token));
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task Child_added_to_a_collection_is_saved_with_its_foreign_key(string provider)
    {
        await using var node = await FilledAsync(provider);
        await using var db = NewContext(node);
        var ann = (await db.Customers.FindAsync([1L], Token))!;
        var order = new Order { Total = 1 };
        ann.Orders.Add(order);
        Assert.True(db.ChangeTracker.HasChanges());
        Assert.Equal(EntityState.Added, db.Entry(order).State);
        Assert.Equal((1L, ann), (order.CustomerId, order.Customer));
        Assert.Equal(1, await db.SaveChangesAsync(Token));
        Assert.Equal(4, await db.Orders.CountAsync(o => o.CustomerId == 1, Token));
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task Child_removed_from_a_collection_before_the_save_is_not_saved(string provider)
    {
        await using var node = await FilledAsync(provider);
        await using var db = NewContext(node);
        var ann = (await db.Customers.FindAsync([1L], Token))!;
        var order = new Order { Total = 1, Agent = new Employee { Name = "New" } };
        ann.Orders.Add(order);
        Assert.Equal(3, db.ChangeTracker.Entries().Count);
        ann.Orders.Clear();
        Assert.Equal(0, await db.SaveChangesAsync(Token));
        Assert.Equal(EntityState.Detached, db.Entry(order).State);
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task Reachable_entity_is_updated_if_its_key_is_stored_and_added_otherwise(string provider)
    {
        await using var node = await FilledAsync(provider);
        await using var db = NewContext(node);
        var order = (await db.Orders.FindAsync([12L], Token))!;
        order.Agent = new Employee { Id = 3, Name = "Thor", Manager = new Employee { Id = 77, Name = "Una" } };
        Assert.Equal(3, await db.SaveChangesAsync(Token));
        await using var other = NewContext(node);
        var stored = await other.Orders.Include(o => o.Agent!.Manager).SingleAsync(o => o.Id == 12, Token);
        Assert.Equal(("Thor", "Una", 3L), (stored.Agent!.Name, stored.Agent.Manager!.Name, stored.SoldBy!.Value));
        Assert.Equal(4, await other.Employees.CountAsync(Token));
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task Add_of_a_graph_fails_if_one_of_its_entities_is_stored(string provider)
    {
        await using var node = await FilledAsync(provider);
        await using var db = NewContext(node);
        db.Orders.Add(new Order { Customer = new Customer { Id = 1 } });
        var error = await Assert.ThrowsAsync<EntityConflictException>(() => db.SaveChangesAsync(Token));
        Assert.IsType<Customer>(error.Entry.Entity);
        Assert.Equal("Ann", (await NewContext(node).Customers.FindAsync([1L], Token))!.Name);
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task Changed_reference_wins_over_the_foreign_key_and_changed_foreign_key_wins_over_an_unchanged_reference(string provider)
    {
        await using var node = await FilledAsync(provider);
        await using var db = NewContext(node);
        var orders = await db.Orders.Include(o => o.Customer).OrderBy(o => o.Id).ToListAsync(Token);
        var bob = (await db.Customers.FindAsync([2L], Token))!;
        orders[0].Customer = bob;
        orders[1].CustomerId = 2;
        Assert.Equal(2, await db.SaveChangesAsync(Token));
        Assert.Equal((2L, 2L), (orders[0].CustomerId, orders[1].CustomerId));
        Assert.Same(bob, orders[1].Customer);
        Assert.Equal([11L, 12L, 13L], await NewContext(node).Orders.Where(o => o.CustomerId == 2).Select(o => o.Id).ToListAsync(Token));
        orders[0].CustomerId = 3;
        Assert.Equal(1, await db.SaveChangesAsync(Token));
        Assert.Null(orders[0].Customer);
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task Child_moved_from_one_collection_to_another_refers_to_the_new_one(string provider)
    {
        await using var node = await FilledAsync(provider);
        await using var db = NewContext(node);
        var customers = await db.Customers.Include(c => c.Orders).ThenInclude(o => o.Customer).OrderBy(c => c.Id).ToListAsync(Token);
        var moved = customers[0].Orders[0];
        customers[0].Orders.Remove(moved);
        customers[1].Orders.Add(moved);
        Assert.Equal(1, await db.SaveChangesAsync(Token));
        Assert.Equal((2L, customers[1]), (moved.CustomerId, moved.Customer));
        Assert.Equal(4, await db.Orders.CountAsync(Token));
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task Orphan_of_a_required_relation_is_deleted_with_its_dependents(string provider)
    {
        await using var node = await FilledAsync(provider);
        await using var db = NewContext(node);
        var ann = await db.Customers.Include(c => c.Orders).SingleAsync(c => c.Id == 1, Token);
        var orphan = ann.Orders.Single(o => o.Id == 11);
        ann.Orders.Remove(orphan);
        Assert.Contains(db.ChangeTracker.Entries(), entry => entry.Entity == orphan && entry.State == EntityState.Deleted);
        // Deletes the order and its two lines.
        Assert.Equal(3, await db.SaveChangesAsync(Token));
        Assert.Equal([12L, 13L, 14L], await db.Orders.Select(o => o.Id).ToListAsync(Token));
        Assert.Equal(1, await db.Lines.CountAsync(Token));
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task Foreign_key_of_an_orphan_of_an_optional_relation_becomes_null(string provider)
    {
        await using var node = await FilledAsync(provider);
        await using var db = NewContext(node);
        var pia = await db.Employees.Include(e => e.Orders).Include(e => e.Manager).SingleAsync(e => e.Id == 2, Token);
        pia.Orders.RemoveAll(o => o.Id == 11);
        pia.Manager = null;
        Assert.Equal(2, await db.SaveChangesAsync(Token));
        Assert.Null(pia.ManagerId);
        Assert.Equal([14L], await NewContext(node).Orders.Where(o => o.SoldBy == 2).Select(o => o.Id).ToListAsync(Token));
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task Save_is_refused_if_an_orphan_cannot_exist_without_its_principal(string provider)
    {
        await using var node = await FilledAsync(provider);
        await using var db = NewContext(node);
        var line = await db.Lines.Include(l => l.Product).Include(l => l.Order).FirstAsync(Token);
        var cake = await db.Products.Include(p => p.Lines).SingleAsync(p => p.Id == 1, Token);
        typeof(Product).GetField("_lines", System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Instance)!.SetValue(cake, new List<OrderLine>());
        Assert.False(db.ChangeTracker.HasChanges());
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => db.SaveChangesAsync(Token));
        Assert.Contains("was removed from the Product", error.Message, StringComparison.Ordinal);
        Assert.Contains("OnDelete(DeleteBehavior.Cascade)", error.Message, StringComparison.Ordinal);
        line.ProductId = 2;
        Assert.Equal(1, await db.SaveChangesAsync(Token));
        Assert.Equal(0, await db.Lines.CountAsync(l => l.ProductId == 1, Token));
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task Failed_save_leaves_the_tracker_unchanged_and_a_retry_saves_everything(string provider)
    {
        await using var node = await FilledAsync(provider);
        await using var db = NewContext(node);
        var ann = await db.Customers.Include(c => c.Orders).SingleAsync(c => c.Id == 1, Token);
        var states = db.ChangeTracker.Entries().Select(entry => (entry.Entity, entry.State)).ToHashSet();
        ann.Orders.RemoveAll(o => o.Id == 11);
        ann.Orders.Add(new Order { Id = 50, Agent = new Employee { Id = 2, Name = "Peer" } });
        await Assert.ThrowsAsync<NotEnoughNodesException>(() => db.SaveChangesAsync(Consistency.Three, Token));
        db.ChangeTracker.AutoDetectChangesEnabled = false;
        Assert.Equal(states, db.ChangeTracker.Entries().Select(entry => (entry.Entity, entry.State)).ToHashSet());
        db.ChangeTracker.AutoDetectChangesEnabled = true;
        // Deletes the order and its lines, adds another order and renames its agent.
        Assert.Equal(5, await db.SaveChangesAsync(Token));
        Assert.Equal("Peer", (await NewContext(node).Orders.Include(o => o.Agent).SingleAsync(o => o.Id == 50, Token)).Agent!.Name);
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task Attached_graph_is_unchanged_and_its_new_entities_are_added(string provider)
    {
        await using var node = await FilledAsync(provider);
        await using var db = NewContext(node);
        var ann = new Customer { Id = 1, Name = "Ann", Rank = 3, IsActive = true, CountryCode = "se", Orders = { new Order { Id = 12, CustomerId = 1, Total = 20 }, new Order { Total = 8 } } };
        db.Customers.Attach(ann);
        Assert.Equal([EntityState.Unchanged, EntityState.Added], ann.Orders.Select(o => db.Entry(o).State));
        Assert.Equal(1, await db.SaveChangesAsync(Token));
        ann.Orders[0].Total = 21;
        ann.Orders.RemoveAt(1);
        Assert.Equal(2, await db.SaveChangesAsync(Token));
        Assert.Equal([10m, 21m, 5m], await db.Orders.Where(o => o.CustomerId == 1).Select(o => o.Total).ToListAsync(Token));
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task Deleted_entity_in_a_collection_is_not_added_again(string provider)
    {
        await using var node = await FilledAsync(provider);
        await using var db = NewContext(node);
        var ann = await db.Customers.Include(c => c.Orders).SingleAsync(c => c.Id == 1, Token);
        db.Orders.Remove(ann.Orders[1]);
        await db.SaveChangesAsync(Token);
        Assert.Equal(2, ann.Orders.Count);
        ann.Name = "Anna";
        Assert.Equal(1, await db.SaveChangesAsync(Token));
        Assert.Equal(3, await db.Orders.CountAsync(Token));
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task One_to_one_dependent_is_replaced(string provider)
    {
        await using var node = await FilledAsync(provider);
        await using var db = NewContext(node);
        var ann = await db.Customers.Include(c => c.Passport).SingleAsync(c => c.Id == 1, Token);
        ann.Passport = new Passport { Number = "P9" };
        Assert.Equal(2, await db.SaveChangesAsync(Token));
        Assert.Equal(("P9", 1L), await db.Passports.AsAsyncEnumerable().Select(p => (p.Number, p.CustomerId)).SingleAsync(Token));
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task Two_new_entities_that_refer_to_each_other_through_a_third_are_saved(string provider)
    {
        await using var node = await FilledAsync(provider);
        await using var db = NewContext(node);
        var boss = new Employee { Name = "boss" };
        boss.Reports.Add(new Employee { Name = "first", Manager = boss });
        boss.Reports.Add(new Employee { Name = "second" });
        db.Employees.Add(boss.Reports[1]);
        boss.Reports[1].Manager = boss;
        Assert.Equal(3, await db.SaveChangesAsync(Token));
        Assert.Equal(2, await db.Employees.CountAsync(e => e.ManagerId == boss.Id, Token));
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task Changes_reverted_after_DetectChanges_are_not_saved(string provider)
    {
        await using var node = await FilledAsync(provider);
        await using var db = NewContext(node);
        var customers = await db.Customers.Include(c => c.Orders).ThenInclude(o => o.Agent).OrderBy(c => c.Id).ToListAsync(Token);
        var (ann, bob, order) = (customers[0], customers[1], customers[0].Orders[0]);
        var agent = order.Agent;
        Assert.Same(ann, order.Customer);
        Back(() => order.Customer = bob, () => order.Customer = ann);
        Back(() => order.Agent = null, () => order.Agent = agent);
        Back(() => Move(ann, bob), () => Move(bob, ann));
        Back(() => ann.Orders.Remove(order), () => ann.Orders.Add(order));
        Assert.Equal(0, await db.SaveChangesAsync(Token));

        void Move(Customer from, Customer to)
        {
            from.Orders.Remove(order);
            to.Orders.Add(order);
        }

        void Back(Action change, Action back)
        {
            change();
            Assert.True(db.ChangeTracker.HasChanges());
            back();
            Assert.False(db.ChangeTracker.HasChanges());
            Assert.Equal((1L, 2L, ann, agent), (order.CustomerId, order.SoldBy!.Value, order.Customer, order.Agent));
            Assert.Contains(order, ann.Orders);
        }
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task Foreign_keys_follow_the_key_of_an_added_entity_that_changes_before_the_save(string provider)
    {
        await using var node = await FilledAsync(provider);
        await using var db = NewContext(node);
        var dan = new Customer { Name = "Dan", Orders = { new Order { Lines = [OrderLine.Of(1, new Product { Name = "jam" })] } } };
        db.Customers.Add(dan);
        Assert.True(db.ChangeTracker.HasChanges());
        dan.Id = 40;
        dan.Orders[0].Id = 41;
        Assert.Equal(4, await db.SaveChangesAsync(Token));
        Assert.Equal(40, (await db.Orders.AsNoTracking().SingleAsync(o => o.Id == 41, Token)).CustomerId);
        Assert.Equal(1, await db.Lines.CountAsync(l => l.OrderId == 41, Token));
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task Put_of_a_graph_adds_or_updates_all_reachable_entities(string provider)
    {
        await using var node = await FilledAsync(provider);
        await using var db = NewContext(node);
        db.Orders.Put(new Order { Id = 11, Total = 99, Customer = new Customer { Id = 2, Name = "Bobby" }, Agent = new Employee { Name = "new" } });
        Assert.Equal(3, await db.SaveChangesAsync(Token));
        var stored = await NewContext(node).Orders.Include(o => o.Customer).Include(o => o.Agent).SingleAsync(o => o.Id == 11, Token);
        Assert.Equal((99m, "Bobby", "new"), (stored.Total, stored.Customer!.Name, stored.Agent!.Name));
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task Detached_entity_that_is_still_in_a_collection_is_not_saved(string provider)
    {
        await using var node = await FilledAsync(provider);
        await using var db = NewContext(node);
        var ann = await db.Customers.Include(c => c.Orders).SingleAsync(c => c.Id == 1, Token);
        ann.Orders[0].Total = 1_000;
        db.Entry(ann.Orders[0]).State = EntityState.Detached;
        Assert.Equal(0, await db.SaveChangesAsync(Token));
        Assert.Equal(EntityState.Detached, db.Entry(ann.Orders[0]).State);
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task Reload_reverts_a_changed_reference(string provider)
    {
        await using var node = await FilledAsync(provider);
        await using var db = NewContext(node);
        var order = await db.Orders.Include(o => o.Customer).SingleAsync(o => o.Id == 11, Token);
        var ann = order.Customer;
        order.Customer = await db.Customers.FindAsync([2L], Token);
        Assert.True(db.ChangeTracker.HasChanges());
        await db.Entry(order).ReloadAsync(Token);
        Assert.Same(ann, order.Customer);
        Assert.False(db.ChangeTracker.HasChanges());
    }
}
