using System.Globalization;
using System.Net.Sockets;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;

namespace Datacake.Aspire.Hosting;

/// <summary>Extension methods that add Datacake clusters to an Aspire application.</summary>
public static class DatacakeClusterBuilderExtensions
{
    /// <summary>The name of the endpoint that other nodes and the tool <c>datacake</c> connect to.</summary>
    public const string EndpointName = "datacake";

    /// <summary>The port of the node with the id 0. Unless it is given another port, a node listens on the sum of this port and its id.</summary>
    public const int BasePort = 7000;

    /// <summary>Adds a cluster, whose nodes are the resources that <see cref="WithDatacakeNode"/> makes part of it.</summary>
    /// <param name="builder">The application.</param>
    /// <param name="name">The name of the cluster.</param>
    /// <param name="clusterSecret">The secret that all nodes share; null to generate one, which is kept for the next run.</param>
    /// <param name="operatorSecret">The secret of the operators; null to generate one, which is kept for the next run.</param>
    public static IResourceBuilder<DatacakeClusterResource> AddDatacakeCluster(
        this IDistributedApplicationBuilder builder, [ResourceName] string name, IResourceBuilder<ParameterResource>? clusterSecret = null,
        IResourceBuilder<ParameterResource>? operatorSecret = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(name);
        return builder.AddResource(new DatacakeClusterResource(
            name, (clusterSecret ?? Generate($"{name}-secret")).Resource, (operatorSecret ?? Generate($"{name}-operator-secret")).Resource));

        IResourceBuilder<ParameterResource> Generate(string parameter) =>
            builder.AddParameter(parameter, new GenerateParameterDefault { MinLength = 32, Special = false }, secret: true, persist: true);
    }

    /// <summary>
    /// Makes a resource a node of a cluster: it gets an endpoint, and the node's settings as environment variables of the section
    /// <c>Datacake</c>, among them the addresses of all nodes as seeds. The application reads them with <c>AddDatacakeNode</c> of
    /// Datacake.Aspire, or with <c>FromConfiguration</c> of Datacake.Hosting, and chooses its storage itself.
    /// </summary>
    /// <param name="builder">The resource, one process of the application. It must not have replicas, because each node has an id of its own.</param>
    /// <param name="cluster">The cluster.</param>
    /// <param name="nodeId">The id of the node, which must be unique in the cluster and stay the same.</param>
    /// <param name="port">The port that the node listens on; null for the sum of <see cref="BasePort"/> and the id of the node.</param>
    /// <param name="section">The section of the configuration that the application reads the node's settings from.</param>
    /// <exception cref="ArgumentOutOfRangeException">The id of the node is not positive or too large, or the port is out of range.</exception>
    /// <exception cref="ArgumentException">Another resource has the id of the node.</exception>
    public static IResourceBuilder<T> WithDatacakeNode<T>(
        this IResourceBuilder<T> builder, IResourceBuilder<DatacakeClusterResource> cluster, int nodeId, int? port = null, string section = "Datacake")
        where T : IResourceWithEnvironment, IResourceWithEndpoints
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(cluster);
        ArgumentException.ThrowIfNullOrEmpty(section);
        ArgumentOutOfRangeException.ThrowIfLessThan(nodeId, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(nodeId, ushort.MaxValue);
        int listensOn = port ?? BasePort + nodeId;
        ArgumentOutOfRangeException.ThrowIfLessThan(listensOn, 1, nameof(port));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(listensOn, ushort.MaxValue, nameof(port));
        // Nodes know each other by these addresses, and prove who they are: a proxy in between would be another address.
        builder.WithEndpoint(listensOn, listensOn, scheme: "tcp", name: EndpointName, env: null, isProxied: false, isExternal: null, protocol: ProtocolType.Tcp);
        var endpoint = new EndpointReference(builder.Resource, EndpointName);
        cluster.Resource.Add(nodeId, endpoint);
        string prefix = section.Replace(":", "__", StringComparison.Ordinal) + "__";
        return builder.WithEnvironment(context =>
        {
            var address = endpoint.Property(EndpointProperty.HostAndPort);
            var variables = context.EnvironmentVariables;
            variables[$"{prefix}NodeId"] = nodeId.ToString(CultureInfo.InvariantCulture);
            variables[$"{prefix}ClusterSecret"] = cluster.Resource.ClusterSecret;
            variables[$"{prefix}Administration__OperatorSecret"] = cluster.Resource.OperatorSecret;
            variables[$"{prefix}Store__ExpectedNodes"] = cluster.Resource.Nodes.Count.ToString(CultureInfo.InvariantCulture);
            if (context.ExecutionContext.IsPublishMode || builder.Resource is ContainerResource)
            {
                // Within a container, the name of the container is no address to listen on.
                variables[$"{prefix}ListenOn"] = string.Create(CultureInfo.InvariantCulture, $"0.0.0.0:{listensOn}");
                variables[$"{prefix}AdvertiseAs"] = address;
            }
            else
                variables[$"{prefix}ListenOn"] = address;
            int index = 0;
            foreach (var (_, seed) in cluster.Resource.Nodes)
                variables[string.Create(CultureInfo.InvariantCulture, $"{prefix}Seeds__{index++}")] = seed.Property(EndpointProperty.HostAndPort);
        });
    }
}
