namespace Datacake.Chain;

/// <summary>A sale of a shop, at the price that the shop knew.</summary>
public sealed class Sale
{
    public Guid Id { get; set; }

    public int Shop { get; set; }

    public int ArticleId { get; set; }

    public int Quantity { get; set; }

    public decimal Price { get; set; }

    public DateTimeOffset At { get; set; }
}
