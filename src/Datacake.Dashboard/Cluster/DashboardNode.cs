using Datacake.Administration;
using Datacake.Node;
using Microsoft.Extensions.DependencyInjection;

namespace Datacake.Dashboard.Cluster;

/// <summary>The node in this process that the dashboard shows.</summary>
sealed class DashboardNode(IServiceProvider services)
{
    /// <summary>Returns the node and its administration.</summary>
    /// <exception cref="InvalidOperationException">No node is registered, it has not started, or it has no administration.</exception>
    public (DatacakeNode Node, NodeAdministration Administration) Get()
    {
        var node = services.GetService<DatacakeNode>()
            ?? throw new InvalidOperationException("The dashboard has no node to show. Call services.AddDatacake(options => …), too.");
        var administration = node.FindExtension<NodeAdministration>()
            ?? throw new InvalidOperationException($"Node {node.Id} has no administration, which the dashboard reads. Call node.OpenAdministrationAsync(), or use AddDatacake, which does.");
        return (node, administration);
    }
}
