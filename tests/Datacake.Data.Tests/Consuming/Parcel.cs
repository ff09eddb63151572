using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Data.Tests.Consuming;

/// <summary>An entity that consumers process.</summary>
public sealed class Parcel
{
    public long Id { get; set; }

    public int Version { get; set; }
}

/// <summary>An entity of a serial class that consumers process.</summary>
[Serial]
public sealed class Receipt
{
    public long Id { get; set; }

    public int Version { get; set; }
}

public sealed partial class ParcelContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Parcel> Parcels { get; }

    public partial Keyspace<Receipt> Receipts { get; }

    /// <summary>Puts parcels with a version.</summary>
    public static async Task PutAsync(DatacakeNode node, int version, Consistency consistency, params long[] ids)
    {
        await using var db = new ParcelContext(node);
        db.Parcels.PutRange(ids.Select(id => new Parcel { Id = id, Version = version }));
        await db.SaveChangesAsync(consistency, TestContext.Current.CancellationToken);
    }

    /// <summary>Deletes a parcel.</summary>
    public static async Task DeleteAsync(DatacakeNode node, long id, Consistency consistency)
    {
        await using var db = new ParcelContext(node);
        db.Parcels.Remove(new Parcel { Id = id });
        await db.SaveChangesAsync(consistency, TestContext.Current.CancellationToken);
    }
}
