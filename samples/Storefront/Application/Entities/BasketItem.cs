namespace Storefront.Entities;

public class BasketItem : BaseEntity
{
    public BasketItem(long catalogItemId, int quantity, decimal unitPrice)
    {
        CatalogItemId = catalogItemId;
        UnitPrice = unitPrice;
        SetQuantity(quantity);
    }

    public decimal UnitPrice { get; private set; }

    public int Quantity { get; private set; }

    public long CatalogItemId { get; private set; }

    public long BasketId { get; private set; }

    public void AddQuantity(int quantity)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(quantity);
        Quantity += quantity;
    }

    public void SetQuantity(int quantity)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(quantity);
        Quantity = quantity;
    }
}
