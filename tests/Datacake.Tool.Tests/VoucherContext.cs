using Datacake.Data;
using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Tool.Tests;

/// <summary>An entity of a serial class.</summary>
[Serial]
public sealed class Voucher
{
    public string Id { get; set; } = "";

    public int Left { get; set; }
}

public sealed partial class VoucherContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Voucher> Vouchers { get; }

    /// <summary>Lets two users of one node change the same voucher, so that the second one is refused.</summary>
    public static async Task ConflictAsync(DatacakeNode node, CancellationToken cancellationToken)
    {
        await using var first = new VoucherContext(node);
        await using var second = new VoucherContext(node);
        var voucher = new Voucher { Id = "spring", Left = 10 };
        first.Vouchers.Add(voucher);
        await first.SaveChangesAsync(cancellationToken);
        var same = (await second.Vouchers.FindAsync(["spring"], cancellationToken))!;
        voucher.Left--;
        await first.SaveChangesAsync(cancellationToken);
        same.Left--;
        await Assert.ThrowsAsync<EntityConflictException>(() => second.SaveChangesAsync(cancellationToken));
    }
}
