using Storefront.Entities;

namespace Storefront.Services;

public sealed class BasketService(StorefrontContext db)
{
    public async Task<Basket> AddItemAsync(string buyer, long catalogItemId, decimal price, int quantity, CancellationToken cancellationToken)
    {
        var basket = await FindAsync(buyer, cancellationToken);
        if (basket is null)
            db.Baskets.Add(basket = new Basket(buyer));
        basket.AddItem(catalogItemId, price, quantity);
        await db.SaveChangesAsync(cancellationToken);
        return basket;
    }

    public async Task<Basket?> SetQuantitiesAsync(string buyer, IReadOnlyDictionary<long, int> quantities, CancellationToken cancellationToken)
    {
        if (await FindAsync(buyer, cancellationToken) is not { } basket)
            return null;
        foreach (var item in basket.Items)
        {
            if (quantities.TryGetValue(item.CatalogItemId, out int quantity))
                item.SetQuantity(quantity);
        }
        basket.RemoveEmptyItems();
        await db.SaveChangesAsync(cancellationToken);
        return basket;
    }

    /// <summary>Moves the basket of an anonymous visitor to the account that the visitor signed in to.</summary>
    public async Task TransferAsync(string anonymous, string user, CancellationToken cancellationToken)
    {
        if (await FindAsync(anonymous, cancellationToken) is not { } from)
            return;
        var to = await FindAsync(user, cancellationToken);
        if (to is null)
            db.Baskets.Add(to = new Basket(user));
        foreach (var item in from.Items)
            to.AddItem(item.CatalogItemId, item.UnitPrice, item.Quantity);
        db.Baskets.Remove(from);
        await db.SaveChangesAsync(cancellationToken);
    }

    public async Task<int> CountItemsAsync(string buyer, CancellationToken cancellationToken)
    {
        var quantities = from basket in db.Baskets
                         join item in db.BasketItems on basket.Id equals item.BasketId
                         where basket.BuyerId == buyer
                         select item.Quantity;
        return await quantities.SumAsync(quantity => quantity, cancellationToken);
    }

    public Task<Basket?> FindAsync(string buyer, CancellationToken cancellationToken) =>
        db.Baskets.Include(basket => basket.Items).FirstOrDefaultAsync(basket => basket.BuyerId == buyer, cancellationToken);
}
