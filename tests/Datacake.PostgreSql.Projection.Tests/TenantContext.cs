using Datacake.Data;
using Datacake.Node;

namespace Datacake.PostgreSql.Projection.Tests;

/// <summary>A context of a named store.</summary>
public sealed partial class TenantContext(DatacakeNode node, string store) : DatacakeContext(node, store)
{
    public partial Keyspace<Order> Orders { get; }
}
