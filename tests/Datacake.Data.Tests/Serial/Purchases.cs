using System.ComponentModel.DataAnnotations;
using System.ComponentModel.DataAnnotations.Schema;
using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Data.Tests.Serial;

/// <summary>An entity whose key is a number.</summary>
[Serial]
public sealed class Purchase
{
    public int Id { get; set; }

    public string Customer { get; set; } = "";

    public int? PreviousId { get; set; }

    public Purchase? Previous { get; set; }

    public List<PurchaseLine> Lines { get; set; } = [];

    public List<PurchaseRemark> Remarks { get; set; } = [];

    public List<PurchasePart> Parts { get; set; } = [];
}

/// <summary>A serial dependent with a numbered key of its own.</summary>
[Serial]
[Index(nameof(PurchaseId), nameof(Product), IsUnique = true)]
public sealed class PurchaseLine
{
    public long Id { get; private set; }

    public int PurchaseId { get; set; }

    public Purchase? Purchase { get; set; }

    public string Product { get; set; } = "";
}

/// <summary>A dependent that merges.</summary>
public sealed class PurchaseRemark
{
    public Guid Id { get; set; }

    [Index] public int? PurchaseId { get; set; }

    public Purchase? Purchase { get; set; }

    public string Text { get; set; } = "";
}

/// <summary>A dependent that merges and has the number in its key.</summary>
public sealed class PurchasePart
{
    [Key] public int PurchaseId { get; set; }

    [Key] public int Position { get; set; }

    public Purchase? Purchase { get; set; }

    public string Text { get; set; } = "";
}

/// <summary>A dependent with the key of its principal.</summary>
[Serial]
public sealed class PurchaseReceipt
{
    [Key] public int PurchaseId { get; set; }

    public Purchase? Purchase { get; set; }

    public string Text { get; set; } = "";
}

/// <summary>A class that merges, whose keys are not numbered.</summary>
public sealed class PurchaseKind
{
    public int Id { get; set; }
}

/// <summary>A serial class whose key is too small for numbers.</summary>
[Serial]
public sealed class PurchaseShelf
{
    public short Id { get; set; }
}

/// <summary>A serial class in which 0 is a key like any other.</summary>
[Serial]
public sealed class PurchaseSlot
{
    [DatabaseGenerated(DatabaseGeneratedOption.None)]
    public int Id { get; set; }
}

/// <summary>A dependent whose foreign key has a converter.</summary>
public sealed class PurchaseTag
{
    public Guid Id { get; set; }

    public int PurchaseId { get; set; }

    public Purchase? Purchase { get; set; }
}

public sealed partial class PurchaseKindContext(DatacakeNode node) : DatacakeContext(node)
{
    [Keyspace("PurchaseKinds")]
    public partial Keyspace<PurchaseKind> Kinds { get; }

    [Keyspace("PurchaseShelves")]
    public partial Keyspace<PurchaseShelf> Shelves { get; }

    [Keyspace("PurchaseSlots")]
    public partial Keyspace<PurchaseSlot> Slots { get; }
}

public sealed partial class PurchaseTagContext(DatacakeNode node) : DatacakeContext(node)
{
    [Keyspace("TaggedPurchases")]
    public partial Keyspace<Purchase> Purchases { get; }

    [Keyspace("PurchaseTags")]
    public partial Keyspace<PurchaseTag> Tags { get; }

    protected override void OnModelCreating(ModelBuilder model)
    {
        model.Entity<Purchase>().Ignore(purchase => purchase.Previous).Ignore(purchase => purchase.Lines).Ignore(purchase => purchase.Remarks).Ignore(purchase => purchase.Parts);
        model.Entity<PurchaseTag>().Property(tag => tag.PurchaseId).HasConversion(static id => (long)id, static stored => (int)stored);
    }
}

public sealed partial class PurchaseContext(DatacakeNode node) : DatacakeContext(node)
{
    [Keyspace("Purchases")]
    public partial Keyspace<Purchase> Purchases { get; }

    [Keyspace("PurchaseLines")]
    public partial Keyspace<PurchaseLine> Lines { get; }

    [Keyspace("PurchaseRemarks")]
    public partial Keyspace<PurchaseRemark> Remarks { get; }

    [Keyspace("PurchaseParts")]
    public partial Keyspace<PurchasePart> Parts { get; }

    [Keyspace("PurchaseReceipts")]
    public partial Keyspace<PurchaseReceipt> Receipts { get; }

    protected override void OnModelCreating(ModelBuilder model) => model.Entity<Purchase>().HasOne(purchase => purchase.Previous).WithMany().HasForeignKey(purchase => purchase.PreviousId);
}
