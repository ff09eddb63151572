using Storefront.Entities;

namespace Storefront.Services;

public sealed record OrderLine(string Product, decimal UnitPrice, int Units);

public sealed record OrderDetails(string City, int Lines, decimal Total, IReadOnlyList<OrderLine> Items);

public sealed class OrderService(StorefrontContext db)
{
    public async Task<Order?> PlaceAsync(string buyer, Address address, CancellationToken cancellationToken)
    {
        var basket = await db.Baskets.Include(known => known.Items).SingleOrDefaultAsync(known => known.BuyerId == buyer, cancellationToken);
        if (basket is null || basket.Items.Count == 0)
            return null;
        long[] ids = [.. basket.Items.Select(item => item.CatalogItemId)];
        var catalog = await db.CatalogItems.Where(item => ids.Contains(item.Id)).ToDictionaryAsync(item => item.Id, cancellationToken);
        var items = basket.Items.Select(item =>
        {
            var ordered = catalog[item.CatalogItemId];
            return new OrderItem(new CatalogItemOrdered(ordered.Id, ordered.Name, ordered.PictureUri), item.UnitPrice, item.Quantity);
        });
        var order = new Order(buyer, address, items);
        db.Orders.Add(order);
        db.Baskets.Remove(basket);
        await db.SaveChangesAsync(cancellationToken);
        return order;
    }

    public async Task<IReadOnlyList<OrderDetails>> ListAsync(string buyer, CancellationToken cancellationToken)
    {
        var orders = await db.Orders
            .Where(order => order.BuyerId == buyer)
            .OrderByDescending(order => order.OrderDate)
            .Include(order => order.OrderItems)
            .AsNoTracking()
            .ToListAsync(cancellationToken);
        return [.. orders.Select(order => new OrderDetails(
            order.ShipToAddress.City, order.OrderItems.Count, order.Total(),
            [.. order.OrderItems.Select(item => new OrderLine(item.ItemOrdered.ProductName, item.UnitPrice, item.Units)).OrderBy(line => line.Product, StringComparer.Ordinal)]))];
    }

    public async Task<IReadOnlyList<string>> FindBuyersOfAsync(string city, CancellationToken cancellationToken) =>
        await db.Orders.Where(order => order.ShipToAddress.City == city).Select(order => order.BuyerId).Distinct().OrderBy(buyer => buyer).ToListAsync(cancellationToken);
}
