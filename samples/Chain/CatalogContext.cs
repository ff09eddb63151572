using Datacake.Data;
using Datacake.Node;

namespace Datacake.Chain;

/// <summary>The catalog, a store that every process holds or follows.</summary>
public sealed partial class CatalogContext(DatacakeNode node, string store) : DatacakeContext(node, store)
{
    /// <summary>The name of the store.</summary>
    public const string Store = "catalog";

    public partial Keyspace<Article> Articles { get; }
}
