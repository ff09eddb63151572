using Datacake.Data.CodeGeneration;
using Datacake.Data.Generated;
using Datacake.EventualConsistency;

namespace Datacake.Data.Tests.Modeling;

/// <summary>Tests of objects in lists and dictionaries.</summary>
public class ObjectValueTests(StoreFixture store)
{
    [Fact]
    public async Task Objects_in_lists_and_dictionaries_round_trip()
    {
        await using var db = Context();
        var invoice = new Invoice
        {
            Number = new(100),
            Lines =
            [
                new("cake", 12.5m) { Unit = "slice", Count = 3, Tax = new(1, "EUR"), Parts = [new Part { Name = "flour" }, new Part()] },
                new("bread"),
            ],
            Extras = { ["gift"] = new("ribbon") },
        };
        db.Invoices.Add(invoice);
        await db.SaveChangesAsync(Token);
        db.ChangeTracker.Clear();
        var read = (await db.Invoices.FindAsync([new InvoiceNumber(100)], Token))!;
        Assert.Equivalent(invoice, read, strict: true);
        Assert.False(db.ChangeTracker.HasChanges());

        read.Lines[0].Parts[1].Name = "butter";
        read.Extras["gift"].Unit = "roll";
        Assert.Equal(1, await db.SaveChangesAsync(Token));
        db.ChangeTracker.Clear();
        read = (await db.Invoices.FindAsync([new InvoiceNumber(100)], Token))!;
        Assert.Equal(("butter", "roll"), (read.Lines[0].Parts[1].Name, read.Extras["gift"].Unit));
    }

    [Fact]
    public void Unknown_properties_of_an_object_are_ignored_and_missing_ones_keep_their_defaults()
    {
        var writer = new ValueWriter();
        writer.WriteArrayHeader(1);
        writer.WriteMapHeader(4);
        writer.WriteString("Text");
        writer.WriteString("cake");
        writer.WriteString("Unknown");
        writer.WriteArrayHeader(1);
        writer.WriteString("x");
        writer.WriteString("Amount");
        writer.WriteInt64(7);
        writer.WriteString("Unit");
        writer.WriteNil();
        var cells = new Crdt.DocumentContentBuilder();
        cells.Set(Crdt.DocumentPath.OfProperty("Lines").Encoded.Span, writer.Written);
        var document = Crdt.Document.Put(new Crdt.HlcTimestamp(1), cells.Build());
        var model = Datacake_Data_Tests_Modeling_InvoiceModel_of_Datacake_Data_Tests_Modeling_FleetContext.Instance;
        var line = Assert.Single(((Invoice)model.ReadEntity(DocumentKey.Of(1), document)).Lines);
        Assert.Equal(("cake", 1m, "piece", 7), (line.Text, line.Price, line.Unit, line.Count));
    }

    FleetContext Context() => new(store.Node) { DefaultConsistency = Consistency.None };

    static CancellationToken Token => TestContext.Current.CancellationToken;
}
