using System.ComponentModel.DataAnnotations.Schema;
using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Data.Tests.Serial;

[Serial]
public sealed class Invoice
{
    public Guid Id { get; set; }

    [DatabaseGenerated(DatabaseGeneratedOption.Identity)]
    public int Number { get; private set; }

    public long Page { get; set; }

    public string Customer { get; set; } = "";
}

public sealed partial class InvoiceContext(DatacakeNode node) : DatacakeContext(node)
{
    [Keyspace("NumberedInvoices")]
    public partial Keyspace<Invoice> Invoices { get; }

    protected override void OnModelCreating(ModelBuilder model) => model.Entity<Invoice>().Property(invoice => invoice.Page).ValueGeneratedOnAdd();
}

public class SerialNumberTests
{
    [Fact]
    public async Task New_entities_get_the_next_numbers_when_they_are_saved()
    {
        await using var cluster = new LocalCluster();
        var node = await cluster.StartAsync(1);
        await using var db = new InvoiceContext(node);
        Invoice[] invoices = [new() { Customer = "Ada" }, new() { Customer = "Bob", Page = 100 }, new() { Customer = "Eve" }];
        db.AddRange(invoices);
        Assert.All(invoices, static invoice => Assert.Equal(0, invoice.Number));
        Assert.Equal(3, await db.SaveChangesAsync(Token));
        Assert.Equal([1, 2, 3], invoices.Select(static invoice => invoice.Number).Order());
        // A value that was set is kept, and takes none of the sequence.
        Assert.Equal(100, invoices[1].Page);
        Assert.Equal([1L, 2, 100], invoices.Select(static invoice => invoice.Page).Order());
        // The numbers are the original values, and part of what the next save compares.
        Assert.False(db.ChangeTracker.HasChanges());
        invoices[0].Customer = "Ada Lovelace";
        Assert.Equal(1, await db.SaveChangesAsync(Token));
        await using var shown = new InvoiceContext(node);
        Assert.Equal(
            invoices.Select(static invoice => (invoice.Id, invoice.Number, invoice.Page, invoice.Customer)).OrderBy(static invoice => invoice.Number),
            await shown.Invoices.OrderBy(invoice => invoice.Number).Select(invoice => new ValueTuple<Guid, int, long, string>(invoice.Id, invoice.Number, invoice.Page, invoice.Customer)).ToListAsync(Token));
    }

    [Fact]
    public async Task Save_that_fails_takes_no_number()
    {
        await using var cluster = new LocalCluster();
        var node = await cluster.StartAsync(1);
        await using var db = new InvoiceContext(node);
        var first = new Invoice();
        db.Add(first);
        await db.SaveChangesAsync(Token);
        await using (var failing = new InvoiceContext(node))
        {
            var same = new Invoice { Id = first.Id };
            failing.Add(same);
            await Assert.ThrowsAsync<EntityConflictException>(() => failing.SaveChangesAsync(Token));
            Assert.Equal(0, same.Number);
        }
        var second = new Invoice();
        db.Add(second);
        await db.SaveChangesAsync(Token);
        Assert.Equal((1, 2), (first.Number, second.Number));
    }

    [Fact]
    public async Task Numbers_of_three_nodes_have_no_gaps()
    {
        const int PerNode = 6;
        await using var cluster = await SerialClusterTests.StartAsync(3);
        var numbers = await Task.WhenAll(Enumerable.Range(1, 3).Select(node => Task.Run(async () =>
        {
            var own = new List<int>();
            await using var db = new InvoiceContext(cluster[node]);
            for (int i = 0; i < PerNode; i++)
            {
                var invoice = new Invoice();
                db.Add(invoice);
                await db.SaveChangesAsync(Token);
                own.Add(invoice.Number);
            }
            return own;
        }, Token)));
        Assert.Equal(Enumerable.Range(1, 3 * PerNode), numbers.SelectMany(static own => own).Order());
        await using var shown = new InvoiceContext(cluster[2]);
        Assert.Equal(
            Enumerable.Range(1, 3 * PerNode),
            await shown.Invoices.WithConsistency(Consistency.Serial).OrderBy(invoice => invoice.Number).Select(invoice => invoice.Number).ToListAsync(Token));
    }

    static CancellationToken Token => TestContext.Current.CancellationToken;
}
