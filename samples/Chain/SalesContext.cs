using Datacake.Data;
using Datacake.Node;

namespace Datacake.Chain;

/// <summary>The sales of one shop, a store that the shop and the head office hold.</summary>
public sealed partial class SalesContext(DatacakeNode node, string store) : DatacakeContext(node, store)
{
    public partial Keyspace<Sale> Sales { get; }

    /// <summary>Returns the name of the store of a shop.</summary>
    public static string StoreOf(int shop) => $"sales/{shop}";
}
