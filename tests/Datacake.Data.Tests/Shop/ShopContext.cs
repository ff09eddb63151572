using Datacake.Node;

namespace Datacake.Data.Tests.Shop;

public sealed partial class ShopContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Product> Products { get; }

    public partial Keyspace<Everything> Everything { get; }

    public partial Keyspace<OrderLine> OrderLines { get; }

    public partial Keyspace<Article> Articles { get; }

    public partial Keyspace<Ticket> Tickets { get; }
}
