namespace Storefront.Entities;

public class OrderItem : BaseEntity
{
    OrderItem()
    {
    }

    public OrderItem(CatalogItemOrdered itemOrdered, decimal unitPrice, int units)
    {
        ItemOrdered = itemOrdered;
        UnitPrice = unitPrice;
        Units = units;
    }

    public CatalogItemOrdered ItemOrdered { get; private set; } = null!;

    public decimal UnitPrice { get; private set; }

    public int Units { get; private set; }

    public long OrderId { get; private set; }
}
