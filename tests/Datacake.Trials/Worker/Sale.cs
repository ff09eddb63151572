using Datacake.Data;
using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Trials.Worker;

/// <summary>An entity that the trial of projections keeps in a table.</summary>
public sealed class Sale
{
    public long Id { get; set; }

    public string Customer { get; set; } = "";

    public decimal Total { get; set; }

    public int Quantity { get; set; }

    public DateTimeOffset SavedAt { get; set; }

    public HashSet<string> Tags { get; set; } = [];

    /// <summary>Returns a sale whose content a number determines.</summary>
    public static Sale Of(long id, long version, DateTimeOffset now) => new()
    {
        Id = id,
        Customer = $"customer {(id * 7919) + version}",
        Total = (id + version) % 100_000 / 100m,
        Quantity = (int)(version % 1000),
        SavedAt = now,
        Tags = version % 3 == 0 ? [$"t{version % 10}"] : [],
    };

    /// <summary>Returns the row that a query of the table gives for the sale.</summary>
    public string Row => FormattableString.Invariant($"{Id}|{Customer}|{Total:0.00}|{Quantity}|{SavedAt.UtcTicks / 10}|{string.Join(',', Tags)}");
}

public sealed partial class SalesContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Sale> Sales { get; }

    /// <summary>Puts or deletes a sale.</summary>
    public static async Task ChangeAsync(DatacakeNode node, Sale sale, bool isDelete, CancellationToken cancellationToken)
    {
        await using var db = new SalesContext(node);
        if (isDelete)
            db.Sales.Remove(sale);
        else
            db.Sales.Put(sale);
        await db.SaveChangesAsync(Consistency.None, cancellationToken);
    }
}
