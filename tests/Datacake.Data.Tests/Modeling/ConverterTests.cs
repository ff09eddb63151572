using Datacake.Crdt;
using Datacake.EventualConsistency;

namespace Datacake.Data.Tests.Modeling;

public class ConverterTests(StoreFixture store)
{
    [Fact]
    public async Task Converted_values_and_keys_round_trip()
    {
        await using var db = Context();
        db.Vehicles.Add(new Vehicle { Plate = new("back"), Kind = VehicleKind.Mule, Owner = "me" });
        db.Invoices.AddRange(new Invoice { Number = new(7), Amount = new(5.50m, "EUR") }, new Invoice { Number = new(8) });
        await db.SaveChangesAsync(Token);
        db.ChangeTracker.Clear();
        Assert.Equal(VehicleKind.Mule, (await db.Vehicles.FindAsync([new Plate("back")], Token))?.Kind);
        Assert.Equal(new Money(5.50m, "EUR"), (await db.Invoices.FindAsync([new InvoiceNumber(7)], Token))?.Amount);
        Assert.Null((await db.Invoices.FindAsync([new InvoiceNumber(8)], Token))?.Amount);
        Assert.False(db.ChangeTracker.HasChanges());
    }

    [Fact]
    public async Task Keys_and_indexes_find_equal_converted_values_and_entities_define_the_order()
    {
        await using var db = Context();
        var kinds = new[] { VehicleKind.Mule, VehicleKind.Zebra, VehicleKind.Ant };
        db.Vehicles.AddRange(kinds.Select((kind, i) => new Vehicle { Plate = new($"order{i}"), Kind = kind, Owner = "order" }));
        await db.SaveChangesAsync(Token);
        var mine = db.Vehicles.Where(v => v.Owner == "order");

        var mules = mine.Where(v => v.Kind == VehicleKind.Mule);
        Assert.Equal(["order0"], (await mules.ToListAsync(Token)).Select(v => v.Plate.Text));
        await Eventually.WaitUntilAsync(
            () => mules.Explain().Contains("index Kind_Seats where Kind = ", StringComparison.Ordinal),
            "the index is used");
        Assert.Equal(["order0"], (await mules.ToListAsync(Token)).Select(v => v.Plate.Text));

        // Zebra is last by name, but first by value.
        var ordered = mine.OrderBy(v => v.Kind).Select(v => v.Kind);
        Assert.Equal([VehicleKind.Zebra, VehicleKind.Ant, VehicleKind.Mule], await ordered.ToListAsync(Token));
        ordered = mine.Where(v => v.Kind > VehicleKind.Zebra).OrderBy(v => v.Kind).Select(v => v.Kind);
        Assert.Equal([VehicleKind.Ant, VehicleKind.Mule], await ordered.ToListAsync(Token));
        Assert.Equal("order1", (await mine.Where(v => v.Plate == new Plate("order1")).SingleAsync(Token)).Plate.Text);
    }

    [Fact]
    public async Task Value_that_a_converter_cannot_read_is_reported_with_its_property()
    {
        await using var db = Context();
        var replicated = await store.Node.OpenStoreAsync(Token);
        var broken = new Transaction();
        var cells = new DocumentContentBuilder();
        cells.Set(DocumentPath.OfProperty("Amount").Encoded.Span, [0xA1, (byte)'x']);
        broken.Put("Invoices", DocumentKey.Of(-5), cells.Build());
        await replicated.CommitAsync(broken, Consistency.None, Token);
        var exception = await Assert.ThrowsAsync<UnreadableEntityException>(
            async () => await db.Invoices.FindAsync([new InvoiceNumber(-5)], Token));
        Assert.Contains("Its property Amount", exception.Message, StringComparison.Ordinal);
        Assert.Contains("MoneyConverter cannot convert 'x' to Money", exception.Message, StringComparison.Ordinal);
        await replicated.Keyspace("Invoices").DeleteAsync(DocumentKey.Of(-5), Consistency.None, Token);
    }

    FleetContext Context() => new(store.Node) { DefaultConsistency = Consistency.None };

    static CancellationToken Token => TestContext.Current.CancellationToken;
}
