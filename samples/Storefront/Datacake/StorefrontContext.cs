using Datacake.Data;
using Datacake.Node;
using Storefront.Entities;

namespace Storefront;

public partial class StorefrontContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<CatalogItem> CatalogItems { get; }

    public partial Keyspace<CatalogBrand> CatalogBrands { get; }

    public partial Keyspace<CatalogType> CatalogTypes { get; }

    public partial Keyspace<Basket> Baskets { get; }

    public partial Keyspace<BasketItem> BasketItems { get; }

    public partial Keyspace<Order> Orders { get; }

    public partial Keyspace<OrderItem> OrderItems { get; }

    protected override void OnModelCreating(ModelBuilder model) => model.ApplyConfigurationsFromAssembly(typeof(StorefrontContext).Assembly);
}
