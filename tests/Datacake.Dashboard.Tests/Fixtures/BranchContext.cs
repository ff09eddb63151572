using Datacake.Data;
using Datacake.Node;

namespace Datacake.Dashboard.Tests.Fixtures;

/// <summary>The context of a named store.</summary>
public sealed partial class BranchContext(DatacakeNode node, string store) : DatacakeContext(node, store)
{
    public partial Keyspace<Customer> Customers { get; }
}
