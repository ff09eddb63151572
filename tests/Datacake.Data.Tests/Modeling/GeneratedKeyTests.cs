using Datacake.Data.Tests.Shop;
using Datacake.EventualConsistency;

namespace Datacake.Data.Tests.Modeling;

public class GeneratedKeyTests(StoreFixture store)
{
    [Fact]
    public async Task Zero_key_of_type_long_gets_an_increasing_value_unique_to_the_node()
    {
        await using var db = store.NewContext();
        var products = Enumerable.Range(0, 1_000).Select(_ => new Product()).ToList();
        db.Products.AddRange(products);
        var ids = products.ConvertAll(product => product.Id);
        Assert.Equal(ids.Order().Distinct(), ids);
        Assert.All(ids, id => Assert.True(id > 0));
        // The low byte of a stamp is the id of the node that created it, so no other node generates the same key.
        Assert.All(ids, id => Assert.Equal(store.Node.Id, (byte)id));

        db.Products.Add(new Product { Id = ids[0] - 1 });
        Assert.Equal(1_001, db.ChangeTracker.Entries().Count);
        db.ChangeTracker.Clear();
    }

    [Fact]
    public async Task Generated_guids_are_version_7_and_ordered_by_creation_across_contexts()
    {
        await using var db = store.NewContext();
        await using var other = store.NewContext();
        var entities = Enumerable.Range(0, 2_000).Select(_ => new Everything()).ToList();
        var before = DateTimeOffset.UtcNow.AddMilliseconds(-4);
        for (int i = 0; i < entities.Count; i++)
            (i % 2 == 0 ? db : other).Everything.Add(entities[i]);
        var ids = entities.ConvertAll(entity => entity.Id);
        Assert.Equal(ids.Order().Distinct(), ids);
        Assert.All(ids, id => Assert.Equal((7, 0x8), (id.Version, id.Variant & 0xC)));
        Assert.InRange(DateTimeOffset.FromUnixTimeMilliseconds(Convert.ToInt64(ids[0].ToString("N")[..12], 16)), before, DateTimeOffset.UtcNow.AddMinutes(1));
    }

    [Fact]
    public async Task Converted_key_is_generated_if_the_model_requires_it()
    {
        await using var db = Context();
        var invoice = new Invoice();
        db.Invoices.Add(invoice);
        Assert.NotEqual(default, invoice.Number);
    }

    [Fact]
    public async Task Key_that_is_not_generated_stays_zero()
    {
        await using var db = Context();
        var reading = new Reading();
        db.Readings.Add(reading);
        Assert.Equal(0, reading.Id);
        await db.SaveChangesAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, Assert.Single(await db.Readings.AsNoTracking().ToListAsync(TestContext.Current.CancellationToken)).Id);
    }

    FleetContext Context() => new(store.Node) { DefaultConsistency = Consistency.None };
}
