using Datacake.Data;
using Datacake.Node;

namespace Datacake.Shop;

/// <summary>The data of the shop, which every node has.</summary>
public sealed partial class ShopContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Product> Products { get; }

    public partial Keyspace<CartLine> CartLines { get; }
}
