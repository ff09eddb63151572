using Datacake.Data.Tests.Shop;
using Datacake.Node;

namespace Datacake.Data.Tests.Query;

/// <summary>A context whose keyspaces no other tests write to.</summary>
public sealed partial class QueryContext(DatacakeNode node) : DatacakeContext(node)
{
    [Keyspace("queried")]
    public partial Keyspace<Everything> Everything { get; }

    [Keyspace("queried lines")]
    public partial Keyspace<OrderLine> Lines { get; }
}
