using Datacake.Data;
using Datacake.Node;

namespace Company.Web;

/// <summary>The data of the shop, which every node has.</summary>
public sealed partial class ShopContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Product> Products { get; }
}
