using Aspire.Hosting.ApplicationModel;

namespace Datacake.Aspire.Hosting;

/// <summary>A cluster of Datacake nodes in an Aspire application. The nodes run in the application's own processes.</summary>
public sealed class DatacakeClusterResource : Resource, IResourceWithoutLifetime
{
    readonly SortedDictionary<int, EndpointReference> _nodes = [];

    internal DatacakeClusterResource(string name, ParameterResource clusterSecret, ParameterResource operatorSecret)
        : base(name) => (ClusterSecret, OperatorSecret) = (clusterSecret, operatorSecret);

    /// <summary>Gets the secret that all nodes share. See <c>WithClusterSecret</c> of Datacake.Node.</summary>
    public ParameterResource ClusterSecret { get; }

    /// <summary>Gets the secret of the operators, with which the tool <c>datacake</c> can change something.</summary>
    public ParameterResource OperatorSecret { get; }

    /// <summary>Gets the endpoints of the nodes by the ids of the nodes, in ascending order.</summary>
    public IReadOnlyDictionary<int, EndpointReference> Nodes => _nodes;

    internal void Add(int nodeId, EndpointReference endpoint)
    {
        if (_nodes.TryGetValue(nodeId, out var existing))
        {
            throw new ArgumentException(
                $"Node {nodeId} of the cluster '{Name}' is the resource '{existing.Resource.Name}' already. Give each resource a node id of its own.", nameof(nodeId));
        }
        _nodes.Add(nodeId, endpoint);
    }
}
