using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Datacake.Crdt;
using Datacake.Node.Diagnostics;
using Datacake.Node.Gossip;
using Datacake.Node.Membership;
using Datacake.Node.Network;
using Datacake.Rpc;
using Datacake.Storage;
using Microsoft.Extensions.Logging;

namespace Datacake.Node;

/// <summary>The start of a node: opens its parts in order, and closes them again if one fails.</summary>
static class NodeStart
{
    static readonly TimeSpan LongestBackoff = TimeSpan.FromSeconds(5);
    static readonly TimeSpan MinLongestBackoff = TimeSpan.FromSeconds(1);
    static readonly TimeSpan FirstBackoff = TimeSpan.FromMilliseconds(100);

    public static async Task<DatacakeNode> RunAsync(DatacakeNodeOptions options, CancellationToken cancellationToken)
    {
        options.Validate();
        var opened = new Stack<IAsyncDisposable>();
        try
        {
            return await OpenAsync(options, opened, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            while (opened.TryPop(out var part))
                await part.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    static async Task<DatacakeNode> OpenAsync(
        DatacakeNodeOptions options, Stack<IAsyncDisposable> opened, CancellationToken cancellationToken)
    {
        var nodeId = options.NodeId!.Value;
        var time = options.TimeProvider;
        var loggers = new NodeLoggerFactory(options.LoggerFactory);
        var logger = loggers.CreateLogger<DatacakeNode>();

        await RefuseStrangersAsync(options, cancellationToken).ConfigureAwait(false);
        IStorage? storage = null;
        if (options.OpenStorage is not null)
            opened.Push(storage = options.OpenStorage());

        var limits = options.RpcLimits;
        var serverOptions = new RpcServerOptions
        {
            Transport = options.Transport,
            Limits = limits,
            Tls = options.Tls,
            ClusterSecret = options.ClusterSecret,
            AcceptedClusterSecrets = options.AcceptedClusterSecrets,
            TimeProvider = time,
            Logger = loggers.CreateLogger<RpcServer>(),
        };
        var server = await RpcServer.StartAsync(options.ListenAddress!, serverOptions, cancellationToken).ConfigureAwait(false);
        opened.Push(server);

        var channels = new ChannelPool(new RpcChannelOptions
        {
            Transport = options.Transport,
            Limits = limits,
            Tls = options.Tls,
            ClusterSecret = options.ClusterSecret,
            TimeProvider = time,
            Logger = loggers.CreateLogger<RpcChannel>(),
            // Gossip notices that a node is back only if the channel reconnects, so the backoff is about one round. With fast rounds it is longer than that: a node that is
            // dead for long must not be dialed many times a second.
            MaxBackoff = TimeSpan.FromTicks(Math.Clamp(options.Gossip.Interval.Ticks, MinLongestBackoff.Ticks, LongestBackoff.Ticks)),
            InitialBackoff = options.Gossip.Interval < FirstBackoff ? options.Gossip.Interval : FirstBackoff,
        });
        opened.Push(channels);

        var address = AdvertisedAddress(options, server.Address);
        var memberRecords = storage is null ? null : new MemberRecordStore(storage, logger);
        var remembered = memberRecords is null ? null : await memberRecords.LoadAsync(options.ClusterId, cancellationToken).ConfigureAwait(false);
        var generation = (ulong)time.GetUtcNow().ToUnixTimeMilliseconds();
        if (remembered is not null && remembered.Generation >= generation)
            generation = remembered.Generation + 1;
        var endpoint = await IdentityOfAsync(options, address, server.Address, cancellationToken).ConfigureAwait(false);
        var self = new GossipId(nodeId.ToString(CultureInfo.InvariantCulture), generation, endpoint);
        if (NodeAddress.IsAnyInterface(options.ListenAddress!) && NodeAddress.IsName(address) && IPAddress.IsLoopback(endpoint.Address))
            NodeLog.AdvertisedLoopback(logger, nodeId, address, endpoint.ToString());
        IGossipLink link = options.GossipTransport switch
        {
            GossipTransport.Udp or GossipTransport.PlainUdp => UdpGossipLink.Bind(
                (await ResolveAsync(server.Address, options.ResolveHost, cancellationToken).ConfigureAwait(false))[0],
                options.GossipTransport == GossipTransport.Udp ? options.NewDatagramSeal() : null,
                options.ResolveHost,
                options.Gossip.ExchangeTimeout,
                time,
                logger),
            _ => new RpcGossipLink(server, channels, options.Gossip.ExchangeTimeout, logger),
        };
        opened.Push(link);

        var clock = new HybridLogicalClock(nodeId, time);
        var view = new MembershipView(logger);
        var metrics = new NodeMetrics(nodeId, view);
        var clocks = new PeerClocks(nodeId, clock, options.MaxClockDifference, time, metrics, logger);
        var gossiper = new Gossiper(new GossipSettings
        {
            Self = self,
            ClusterId = options.ClusterId,
            Options = options.Gossip,
            MaxMessageLength = link.MaxMessageLength,
            RetirementNeedsProof = options.OperatorKeys.Count > 0,
            TimeProvider = time,
            Random = new Random(),
            Stamp = () => clock.Tick().Packed,
            Accepted = clocks.Take,
        });
        gossiper.Set(NodeKeys.Protocol, NodeKeys.ProtocolVersion);
        gossiper.Set(NodeKeys.Address, address);
        gossiper.Set(NodeKeys.DataCenter, options.DataCenter);
        foreach (var (key, value) in options.Labels)
            gossiper.Set(key, value);

        var seeds = new Seeds(options.Seeds, options.ResolveHost, time, logger);
        var gossip = new SharedGossiper(gossiper, options.ClusterId, view, metrics, time, logger);
        var loop = new GossipLoop(gossip, options.Gossip, link, seeds, view, metrics, time);
        opened.Push(loop);
        if (remembered is not null)
            gossip.Change(state => state.Recall(remembered));
        await loop.JoinAsync(cancellationToken).ConfigureAwait(false);

        var node = new DatacakeNode(new NodeParts(
            nodeId,
            address,
            HasPortZero(options.ListenAddress!) && (options.AdvertisedAddress is null || HasPortZero(options.AdvertisedAddress)),
            options.DataCenter,
            options.ClusterId,
            self.Generation,
            seeds,
            options.Gossip.MinSilence,
            options.MaxClockDifference,
            clock,
            storage,
            server,
            channels,
            link,
            gossip,
            loop,
            clocks,
            view,
            memberRecords,
            time,
            loggers,
            options.Tls,
            options.OperatorKeys,
            options.ExtensionSettings));
        node.Start();
        return node;
    }

    /// <summary>
    /// Throws if other machines can reach the node without authentication, unless the options explicitly allow it.
    /// </summary>
    static async Task RefuseStrangersAsync(DatacakeNodeOptions options, CancellationToken cancellationToken)
    {
        if (options.RefusesStrangers || options.AllowsAnyone || options.Transport is not TcpTransport)
            return;
        var endpoints = await ResolveAsync(options.ListenAddress!, options.ResolveHost, cancellationToken).ConfigureAwait(false);
        if (endpoints.All(endpoint => IPAddress.IsLoopback(endpoint.Address)))
            return;
        throw new InvalidOperationException(
            $"Node {options.NodeId} would listen on '{options.ListenAddress}', which other machines can reach, without authentication. Anyone "
            + "could read, change and delete all data. Set WithClusterSecret, or WithTls with RequireClientCertificate. In a network that only "
            + "the nodes can reach, call AllowAnyone().");
    }

    /// <summary>
    /// Returns the address to advertise. A host name is not replaced by its IP address, because it may resolve to a different address on
    /// other machines and because certificates may contain it.
    /// </summary>
    static string AdvertisedAddress(DatacakeNodeOptions options, string boundAddress)
    {
        var advertised = options.AdvertisedAddress
            ?? (NodeAddress.IsName(options.ListenAddress!) ? options.ListenAddress! : boundAddress);
        return HasPortZero(advertised) && NodeAddress.TryParse(advertised, out var host, out _)
            && NodeAddress.TryParse(boundAddress, out _, out var boundPort)
            ? NodeAddress.Format(host, boundPort)
            : advertised;
    }

    static bool HasPortZero(string address) => NodeAddress.TryParse(address, out _, out var port) && port == 0;

    /// <summary>
    /// Returns the endpoint in the node's gossip identity. Without <see cref="DatacakeNodeOptions.AdvertiseAs"/>, it is the bound endpoint,
    /// even if the node listens on a name. If an advertised name has several addresses, one that is not loopback is preferred, because
    /// other machines can reach it.
    /// </summary>
    static async Task<IPEndPoint> IdentityOfAsync(
        DatacakeNodeOptions options, string address, string boundAddress, CancellationToken cancellationToken)
    {
        var isBound = options.AdvertisedAddress is null && !NodeAddress.IsName(boundAddress) && !NodeAddress.IsAnyInterface(boundAddress);
        var endpoints = await ResolveAsync(isBound ? boundAddress : address, options.ResolveHost, cancellationToken).ConfigureAwait(false);
        return endpoints.FirstOrDefault(endpoint => !IPAddress.IsLoopback(endpoint.Address)) ?? endpoints[0];
    }

    static async Task<IReadOnlyList<IPEndPoint>> ResolveAsync(string address, HostResolver resolve, CancellationToken cancellationToken)
    {
        try
        {
            return await HostNames.ResolveAsync(address, resolve, cancellationToken).ConfigureAwait(false);
        }
        catch (SocketException failure)
        {
            throw new InvalidOperationException(
                $"The node's own address '{address}' cannot be resolved to an IP address, so other nodes could not reach it. "
                + "Correct the address, or advertise another one with AdvertiseAs.",
                failure);
        }
    }
}
