namespace Storefront.Entities;

public class Basket : BaseEntity
{
    readonly List<BasketItem> _items = [];

    public Basket(string buyerId) => BuyerId = buyerId;

    public string BuyerId { get; private set; }

    public IReadOnlyCollection<BasketItem> Items => _items.AsReadOnly();

    public void AddItem(long catalogItemId, decimal unitPrice, int quantity = 1)
    {
        if (_items.Find(item => item.CatalogItemId == catalogItemId) is { } known)
            known.AddQuantity(quantity);
        else
            _items.Add(new BasketItem(catalogItemId, quantity, unitPrice));
    }

    public void RemoveEmptyItems() => _items.RemoveAll(item => item.Quantity == 0);

    public void SetNewBuyerId(string buyerId) => BuyerId = buyerId;
}
