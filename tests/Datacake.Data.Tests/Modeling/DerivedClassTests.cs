using Datacake.Crdt;
using Datacake.Data.CodeGeneration;
using Datacake.Data.Generated;
using Datacake.EventualConsistency;

namespace Datacake.Data.Tests.Modeling;

public class DerivedClassTests(StoreFixture store)
{
    [Fact]
    public async Task Entities_are_read_back_as_their_own_class()
    {
        await using var db = Context();
        var truck = new Truck { Plate = new("class1"), Owner = "class", License = "C", Load = 7.5m, Engine = new("diesel") { Hours = 3 } };
        truck.Goods.Add("cake");
        db.Vehicles.AddRange(
            truck, new Trailer(3) { Plate = new("class2"), Owner = "class" }, new Vehicle { Plate = new("class3"), Owner = "class" });
        await db.SaveChangesAsync(Token);
        db.ChangeTracker.Clear();

        var found = await db.Vehicles.Where(v => v.Owner == "class").OrderBy(v => v.Plate.Text).ToListAsync(Token);
        Assert.Equal([typeof(Truck), typeof(Trailer), typeof(Vehicle)], found.Select(v => v.GetType()));
        Assert.Equivalent(truck, found[0], strict: true);
        Assert.Equal(3, ((Trailer)found[1]).Axles);
        Assert.Equal([2, 4, 4], found.Select(v => v.Seats));
        Assert.False(db.ChangeTracker.HasChanges());

        ((Truck)found[0]).Goods.Add("bread");
        ((Truck)found[0]).Engine!.Hours += 2;
        Assert.True(db.ChangeTracker.HasChanges());
        Assert.Equal(EntityState.Modified, db.Entry(found[0]).State);
        Assert.True(db.Entry(found[0]).Property("Goods").IsModified);
        Assert.False(db.Entry(found[0]).Property("Load").IsModified);
        await db.SaveChangesAsync(Token);
        db.ChangeTracker.Clear();
        var changed = (Truck)(await db.Vehicles.FindAsync([new Plate("class1")], Token))!;
        Assert.Equal(5, changed.Engine!.Hours);
        Assert.Equal(["bread", "cake"], changed.Goods.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Conditions_can_test_the_class_of_an_entity()
    {
        await using var db = Context();
        db.Vehicles.AddRange(
            new Truck { Plate = new("tell1"), Owner = "tell", License = "C", Load = 7.5m },
            new Truck { Plate = new("tell2"), Owner = "tell", License = "C", Load = 3.5m },
            new Vehicle { Plate = new("tell3"), Owner = "tell" });
        await db.SaveChangesAsync(Token);
        Assert.Equal(2, await db.Vehicles.CountAsync(v => v.Owner == "tell" && v is Truck, Token));
        var heavy = await db.Vehicles.SingleAsync(v => v.Owner == "tell" && v is Truck && ((Truck)v).Load > 5, Token);
        Assert.Equal("tell1", heavy.Plate.Text);
    }

    [Fact]
    public async Task Property_of_a_derived_class_can_be_read_and_set()
    {
        await using var db = Context();
        Vehicle truck = new Truck { Plate = new("set1"), Owner = "set", License = "C", Load = 7.5m };
        db.Vehicles.AddRange(truck, new Vehicle { Plate = new("set2"), Owner = "set" });
        await db.SaveChangesAsync(Token);
        Assert.Equal(7.5m, db.Entry(truck).Property(v => ((Truck)v).Load).CurrentValue);
        var exception = Assert.Throws<InvalidOperationException>(() => db.Entry((Truck)truck));
        Assert.Contains("Entry((Vehicle)entity)", exception.Message, StringComparison.Ordinal);

        var changed = await db.Vehicles.Where(v => v.Owner == "set").ExecuteUpdateAsync(s => s.SetProperty(v => ((Truck)v).Load, 3m), Token);
        Assert.Equal((2, 1), (changed.Count, changed.Written));
        await db.Entry(truck).ReloadAsync(Token);
        Assert.Equal(3m, ((Truck)truck).Load);
    }

    [Fact]
    public async Task Index_uses_the_default_values_of_a_derived_class()
    {
        await using var db = Context();
        db.Vehicles.Add(new Truck { Plate = new("default"), Owner = "default", License = "C" });
        await db.SaveChangesAsync(Token);
        // Removes the property, as if the entity had been stored before the property existed.
        var replicated = await store.Node.OpenStoreAsync(Token);
        var older = new Transaction();
        var cells = new DocumentContentBuilder();
        cells.Remove(DocumentPath.OfProperty("Seats").Encoded.Span);
        older.Update("fleet", db.Entry((Vehicle)db.ChangeTracker.Entries()[0].Entity).Key, cells.Build());
        await replicated.CommitAsync(older, Consistency.None, Token);
        db.ChangeTracker.Clear();
        var found = await db.Vehicles.Where(v => v.Kind == VehicleKind.Zebra && v.Seats == 2 && v.Owner == "default").ToListAsync(Token);
        Assert.Equal("default", Assert.Single(found).Plate.Text);
    }

    [Fact]
    public async Task OfType_queries_use_the_indexes_of_the_derived_class()
    {
        await using var db = Context();
        db.Vehicles.AddRange(
            new Truck { Plate = new("of1"), Owner = "of", License = "C", Load = 7.5m, Goods = { "cake" } },
            new Truck { Plate = new("of2"), Owner = "of", License = "C", Load = 3.5m, Engine = new("steam") },
            new Trailer(2) { Plate = new("of3"), Owner = "of" }, new Vehicle { Plate = new("of4"), Owner = "of" });
        await db.SaveChangesAsync(Token);
        var trucks = db.Vehicles.OfType<Truck>().Where(truck => truck.Owner == "of");

        await Finds(trucks.Where(truck => truck.Load > 5), ["of1"], "fleet: index Owner_Load where is Truck and Owner = 'of' and Load > 5");
        await Finds(trucks.OrderByDescending(truck => truck.Load), ["of1", "of2"], "fleet: index Owner_Load where is Truck and Owner = 'of', descending; order by Load descending");
        await Finds(trucks.Where(truck => truck.Goods.Contains("cake")), ["of1"], "index Goods where is Truck and Goods contains 'cake'");
        await Finds(
            db.Vehicles.OfType<Truck>().Where(truck => truck.Engine != null && truck.Engine.Fuel == "steam"), ["of2"],
            "index Engine.Fuel where is Truck and Engine.Fuel = 'steam'");
        await Finds(db.Vehicles.OfType<Trailer>().Where(trailer => trailer.Owner == "of"), ["of3"], "index trailers where is Trailer and Owner = 'of'");
        await Finds(
            db.Vehicles.Where(v => v.Owner == "of" && v is Truck && ((Truck)v).Load < 5).OfType<Truck>(), ["of2"],
            "fleet: index Owner_Load where is Truck and Owner = 'of' and Load < 5");
        Assert.Equal(
            "fleet: index Load where is Truck and Load > 5, descending; order by Load descending; take 3",
            db.Vehicles.OfType<Truck>().Where(truck => truck.Load > 5).OrderByDescending(truck => truck.Load).Take(3).Explain());
        // A query for all vehicles cannot use these indexes, because they do not contain every vehicle.
        await Finds(db.Vehicles.Where(v => v.Owner == "of"), ["of1", "of2", "of3", "of4"], "fleet: full scan");
        Assert.Equal(1, await trucks.Where(truck => truck.Load > 5).ExecuteUpdateAsync(s => s.SetProperty(truck => truck.Load, truck => truck.Load + 1), Token));
        Assert.Equal(8.5m, await trucks.MaxAsync(truck => truck.Load, Token));

        async Task Finds<T>(Query<T> query, string[] plates, string plan)
            where T : Vehicle
        {
            Assert.Contains(plan, query.Explain(), StringComparison.Ordinal);
            var found = await query.ToListAsync(Token);
            Assert.Equal(plates, found.Select(vehicle => vehicle.Plate.Text));
            Assert.All(found, vehicle => Assert.Equal(EntityState.Unchanged, db.Entry<Vehicle>(vehicle).State));
        }
    }

    [Fact]
    public async Task Condition_that_fails_on_another_class_suggests_OfType()
    {
        await using var db = Context();
        db.Vehicles.Add(new Vehicle { Plate = new("cast"), Owner = "cast" });
        await db.SaveChangesAsync(Token);
        var exception = await Assert.ThrowsAsync<InvalidOperationException>(
            () => db.Vehicles.Where(v => v.Owner == "cast" && ((Truck)v).License!.Length == 1).ToListAsync(Token));
        Assert.Contains("OfType<Truck>()", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task OfType_queries_can_be_watched_and_can_include_related_entities()
    {
        await using var db = Context();
        var watch = db.Vehicles.OfType<Trailer>().Where(trailer => trailer.Owner == "with").WatchAsync(Token).GetAsyncEnumerator(Token);
        await using var ofWatch = watch;
        Assert.True(await watch.MoveNextAsync());
        db.Invoices.Add(new Invoice { Number = new(77) });
        db.Vehicles.AddRange(
            new Trailer(2) { Plate = new("with1"), Owner = "with", InvoiceNumber = new(77) }, new Vehicle { Plate = new("with2"), Owner = "with" });
        await db.SaveChangesAsync(Token);
        Assert.True(await watch.MoveNextAsync());
        Assert.Equal(2, Assert.Single(watch.Current.Added).Axles);

        db.ChangeTracker.Clear();
        var trailer = await db.Vehicles.OfType<Trailer>().Include(t => t.Invoice, t => t.InvoiceNumber).Where(t => t.Owner == "with").SingleAsync(Token);
        Assert.Equal(77, trailer.Invoice?.Number.Value);
    }

    [Fact]
    public async Task Inclusions_of_a_derived_class_are_added_to_those_of_its_base_class()
    {
        await using var db = Context();
        db.Invoices.Add(new Invoice { Number = new(78) });
        db.Vehicles.AddRange(new Trailer(2) { Plate = new("both1"), Owner = "both", InvoiceNumber = new(78) }, new Vehicle { Plate = new("both2"), Owner = "both" });
        await db.SaveChangesAsync(Token);
        db.ChangeTracker.Clear();

        var trailers = db.Vehicles.Include(v => ((Trailer)v).Invoice, v => ((Trailer)v).InvoiceNumber).OfType<Trailer>()
            .Include(t => t.Invoice, t => t.InvoiceNumber).Where(t => t.Owner == "both");

        Assert.EndsWith("; include Invoice by key; include Invoice by key", trailers.Explain(), StringComparison.Ordinal);
        Assert.Equal(78, (await trailers.SingleAsync(Token)).Invoice?.Number.Value);
    }

    [Fact]
    public async Task Keyspace_of_an_abstract_class_stores_entities_of_derived_classes()
    {
        await using var db = Context();
        db.Shapes.AddRange(new Circle { Radius = 2 }, new Square { Side = 3, Color = "blue" });
        await db.SaveChangesAsync(Token);
        db.ChangeTracker.Clear();
        Assert.Equal(2, Assert.IsType<Circle>(await db.Shapes.SingleAsync(shape => shape.Color == "red", Token)).Radius);
        Assert.Equal(3, Assert.IsType<Square>(await db.Shapes.SingleAsync(shape => shape.Color == "blue", Token)).Side);
    }

    [Fact]
    public void Unknown_derived_class_is_read_as_the_entity_class_unless_that_is_abstract()
    {
        var writer = new ValueWriter();
        writer.WriteString("submarine");
        var cells = new DocumentContentBuilder();
        cells.Set(DocumentPath.OfProperty("$type").Encoded.Span, writer.Written);
        var document = Document.Put(new HlcTimestamp(1), cells.Build());

        var vehicles = Datacake_Data_Tests_Modeling_VehicleModel_of_Datacake_Data_Tests_Modeling_FleetContext.Instance;
        Assert.Equal(typeof(Vehicle), vehicles.ReadEntity("plate", document).GetType());
        var shapes = Datacake_Data_Tests_Modeling_ShapeModel.Instance;
        var exception = Assert.Throws<UnreadableEntityException>(() => shapes.ReadEntity(Guid.Empty, document));
        Assert.Contains("The class 'submarine' is unknown", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_the_rules_of_the_entitys_own_class_are_checked()
    {
        await using var db = Context();
        db.Vehicles.AddRange(
            new Vehicle { Plate = new("rule1"), Owner = "rule" }, new Truck { Plate = new("rule2"), Owner = "much too long" });
        var exception = await Assert.ThrowsAsync<EntityValidationException>(() => db.SaveChangesAsync(Token));
        Assert.Equal(["License", "Owner"], exception.Errors.Select(error => error.Property).Order());
    }

    [Fact]
    public async Task Class_that_is_missing_from_the_model_is_refused()
    {
        await using var db = Context();
        var exception = Assert.Throws<ArgumentException>(() => db.Vehicles.Add(new Bicycle { Plate = new("bicycle") }));
        Assert.Contains("Mark Vehicle with [Derived(typeof(Bicycle))]", exception.Message, StringComparison.Ordinal);
        Assert.Empty(db.ChangeTracker.Entries());
    }

    FleetContext Context() => new(store.Node) { DefaultConsistency = Consistency.None };

    static CancellationToken Token => TestContext.Current.CancellationToken;
}
