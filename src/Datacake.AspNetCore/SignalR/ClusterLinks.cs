using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using Datacake.AspNetCore.Diagnostics;
using Datacake.Node;
using Datacake.Rpc;
using MessagePack;
using Microsoft.Extensions.Logging;

namespace Datacake.AspNetCore.SignalR;

/// <summary>The links of one hub on one node to all its peers, and the service that receives theirs. Thread-safe.</summary>
[SuppressMessage("Design", "CA1001", Justification = "A token source without a timer or a parent holds nothing that needs disposing.")]
sealed class ClusterLinks : RpcService
{
    /// <summary>The name of the stream of entries.</summary>
    public const string Message = "entries";

    const string NodeHeader = "node", AddressHeader = "address", InstanceHeader = "instance";

    readonly Backplane _backplane;
    readonly CancellationTokenSource _stop = new();
    readonly ConcurrentDictionary<long, PeerRequest> _requests = new();
    readonly Lock _lock = new();
    readonly Dictionary<byte, IncomingLink> _incoming = [];     // under the lock
    volatile PeerLink[] _links = [];                            // replaced as a whole under the lock
    bool _isStopped;                                            // under the lock
    long _lastRequest;
    Task _watching = Task.CompletedTask;

    ClusterLinks(Backplane backplane, DatacakeNode node, string name)
    {
        _backplane = backplane;
        Node = node;
        Name = name;
        Greeting = new RpcHeaders(
            new(NodeHeader, node.Id.ToString(CultureInfo.InvariantCulture)),
            new(AddressHeader, node.Address),
            new(InstanceHeader, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8))));
    }

    /// <summary>Gets the name of the service, which the hub has on all nodes.</summary>
    public override string Name { get; }

    public DatacakeNode Node { get; }

    public string Hub => _backplane.Hub;

    public DatacakeBackplaneOptions Options => _backplane.Options;

    public BackplaneMetrics Metrics => _backplane.Metrics;

    public ILogger Logger => _backplane.Logger;

    /// <summary>Gets the headers with which this node opens its streams.</summary>
    public RpcHeaders Greeting { get; }

    public IReadOnlyList<PeerLink> Links => _links;

    /// <summary>Starts to receive messages and to connect with the peers.</summary>
    /// <exception cref="InvalidOperationException">The node already has a backplane for the hub.</exception>
    public static ClusterLinks Start(Backplane backplane, DatacakeNode node, string name)
    {
        var links = new ClusterLinks(backplane, node, name);
        try
        {
            node.Server.AddService(links);
        }
        catch (ArgumentException e)
        {
            throw new InvalidOperationException(
                $"Node {node.Id} cannot have another SignalR backplane for the hub {backplane.Hub}: {e.Message} If two hosts of this process share the node, give each another {nameof(Options.Prefix)}.", e);
        }
        foreach (var member in node.Members)
            links.Apply(member, isMember: true);
        using (ExecutionContext.SuppressFlow())
            links._watching = Task.Run(links.WatchAsync);
        return links;
    }

    /// <summary>Waits until the peers that are up now send their messages to this node, or are known not to do so.</summary>
    public async Task ConnectAsync()
    {
        var links = _links;
        try
        {
            await Task.WhenAll(links.Select(static link => link.Contact)).WaitAsync(Options.AcknowledgmentTimeout, Node.TimeProvider).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            AspNetCoreLog.PeersNotConnected(Logger, Hub, string.Join(", ", links.Where(static link => !link.Contact.IsCompleted).Select(static link => link.NodeId)), Options.AcknowledgmentTimeout);
        }
    }

    /// <summary>Sends an entry to all peers. The bytes are copied before the method returns; the task completes when all are queued or dropped.</summary>
    public Task SendAsync(ReadOnlySpan<byte> entry, CancellationToken cancellationToken)
    {
        List<Task>? waits = null;
        foreach (var link in _links)
        {
            var sent = link.SendAsync(entry, cancellationToken);
            if (!sent.IsCompletedSuccessfully)
                (waits ??= []).Add(sent.AsTask());
        }
        return waits is null ? Task.CompletedTask : Task.WhenAll(waits);
    }

    /// <summary>Begins a request to all peers.</summary>
    public PeerRequest Begin()
    {
        PeerLink[] peers = [.. _links.Where(static link => !link.IsAbsent)];
        var request = new PeerRequest(Interlocked.Increment(ref _lastRequest), peers);
        _requests[request.Id] = request;
        // A peer that went away in between is not told to the request.
        foreach (var peer in peers)
        {
            if (!_links.Contains(peer))
                request.OnLost(peer, "went away");
        }
        return request;
    }

    public void End(PeerRequest request) => _requests.TryRemove(request.Id, out _);

    /// <summary>Sends the entry of a request.</summary>
    public void Send(PeerRequest request, ReadOnlySpan<byte> entry)
    {
        foreach (var link in _links)
        {
            _ = AwaitAsync(link, link.SendAsync(entry, CancellationToken.None));
            if (link.IsAbsent)
                request.OnNotHere(link);
        }
        request.Conclude();

        async Task AwaitAsync(PeerLink link, ValueTask<bool> sent)
        {
            if (!await sent.ConfigureAwait(false))
                request.OnLost(link, "did not take the request in time");
        }
    }

    /// <summary>Handles replies of a peer.</summary>
    public void OnReply(PeerLink peer, ReadOnlyMemory<byte> bytes)
    {
        var reader = new MessagePackReader(bytes);
        int fields = reader.ReadArrayHeader();
        var kind = (ReplyKind)reader.ReadInt32();
        if (!_requests.TryGetValue(reader.ReadInt64(), out var request))
            return;                                             // its sender has given up
        switch (kind)
        {
            case ReplyKind.Done or ReplyKind.Found:
                request.OnFound(peer);
                break;
            case ReplyKind.NotHere:
                request.OnNotHere(peer);
                break;
            case ReplyKind.Result when fields >= 4:
                string protocol = BackplaneEntry.ReadText(ref reader);
                var completion = reader.ReadBytes() ?? throw new MessagePackSerializationException("The result of a client is missing.");
                request.OnResult(new RelayedResult(protocol, completion.First.ToArray()));
                break;
            case ReplyKind.Failed when fields >= 3:
                request.OnFailed(BackplaneEntry.ReadText(ref reader));
                break;
        }
    }

    /// <summary>Handles the loss of the connection to a peer, which answers no requests that were sent before.</summary>
    public void OnLost(PeerLink peer, string reason)
    {
        foreach (var (_, request) in _requests)
            request.OnLost(peer, reason);
    }

    /// <summary>Handles that a peer does not have the hub, and therefore no connections.</summary>
    public void OnAbsent(PeerLink peer)
    {
        foreach (var (_, request) in _requests)
            request.OnNotHere(peer);
    }

    /// <summary>Stops everything. Requests fail.</summary>
    public async Task StopAsync()
    {
        Node.Server.RemoveService(Name);
        await _stop.CancelAsync().ConfigureAwait(false);
        await _watching.ConfigureAwait(false);
        IncomingLink[] incoming;
        lock (_lock)
            incoming = [.. _incoming.Values];
        await Task.WhenAll(incoming.Select(static link => link.StopAsync())).ConfigureAwait(false);
    }

    protected override void Register(RpcHandlers handlers) => handlers.HandleStream(Message, ReceiveAsync);

    async Task ReceiveAsync(RpcStream stream, CancellationToken cancellationToken)
    {
        if (!byte.TryParse(stream.Headers[NodeHeader], NumberStyles.None, CultureInfo.InvariantCulture, out byte node) || node == Node.Id
            || stream.Headers[AddressHeader] is not { Length: > 0 } address || stream.Headers[InstanceHeader] is not { Length: > 0 } instance)
        {
            throw new RpcException(RpcStatus.InvalidPayload, $"The stream from {stream.RemoteAddress} does not name another node, its address and its instance in its headers.");
        }
        using var incoming = new IncomingLink(_backplane, stream, node, _stop.Token, cancellationToken);
        IncomingLink? earlier;
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isStopped, this);
            earlier = _incoming.GetValueOrDefault(node);
            _incoming[node] = incoming;
            GetOrAdd(node, address)?.OnGreeting(instance);
        }
        try
        {
            // Messages of the earlier stream must not mix with those of this one.
            if (earlier is not null)
                await earlier.StopAsync().ConfigureAwait(false);
            await incoming.RunAsync().ConfigureAwait(false);
        }
        finally
        {
            incoming.OnEnded();
            bool isLast;
            lock (_lock)
            {
                isLast = _incoming.GetValueOrDefault(node) == incoming;
                if (isLast)
                    _incoming.Remove(node);
            }
            if (isLast && Node.Members.FirstOrDefault(member => member.NodeId == node) is not { IsUp: true })
                await RemoveAsync(node, "went away").ConfigureAwait(false);
        }
    }

    async Task WatchAsync()
    {
        try
        {
            await foreach (var change in Node.WatchMembersAsync(_stop.Token).ConfigureAwait(false))
                Apply(change.Member, change.Kind != MembershipChangeKind.Forgotten);
        }
        catch (OperationCanceledException)
        {
            // The hub stops. If the node stops, the watch ends by itself.
        }
        PeerLink[] links;
        lock (_lock)
        {
            _isStopped = true;
            links = _links;
            _links = [];
        }
        await Task.WhenAll(links.Select(static link => link.StopAsync("was left, because this node stops,"))).ConfigureAwait(false);
    }

    void Apply(ClusterMember member, bool isMember)
    {
        if (member.NodeId == Node.Id)
            return;
        lock (_lock)
        {
            if (isMember && member.IsUp)
            {
                GetOrAdd(member.NodeId, member.Address);
                return;
            }
            // A peer whose messages arrive is there, whatever the gossip says.
            if (_incoming.ContainsKey(member.NodeId) && member.State != MemberState.Left)
                return;
        }
        _ = RemoveAsync(member.NodeId, member.State == MemberState.Left ? "left the cluster" : "went down");
    }

    // Under the lock.
    PeerLink? GetOrAdd(byte node, string address)
    {
        if (_isStopped)
            return null;
        var found = Array.Find(_links, link => link.NodeId == node);
        if (found is not null && found.Address == address)
            return found;
        var link = new PeerLink(this, node, address);
        _links = [.. _links.Where(other => other != found), link];
        link.Start();
        if (found is not null)
            _ = Task.Run(() => found.StopAsync("moved to another address"));
        return link;
    }

    async Task RemoveAsync(byte node, string reason)
    {
        PeerLink? link;
        lock (_lock)
        {
            link = Array.Find(_links, link => link.NodeId == node);
            if (link is not null)
                _links = [.. _links.Where(other => other != link)];
        }
        if (link is not null)
            await link.StopAsync(reason).ConfigureAwait(false);
    }
}
