using System.Buffers;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Datacake.AspNetCore.Diagnostics;
using Datacake.Node;
using MessagePack;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;
using Microsoft.Extensions.Logging;

namespace Datacake.AspNetCore.SignalR;

/// <summary>
/// One hub on one node: its local connections, with their groups and users, and the links to the hub on the other nodes. Every message goes to all nodes, which deliver it to those of their connections
/// that it concerns. Thread-safe.
/// </summary>
sealed class Backplane : IAsyncDisposable
{
    const string ServicePrefix = "signalr:", AllName = "";

    const int MaxServiceLength = 255;

    /// <summary>The size from which the buffer of a thread is not kept.</summary>
    const int MaxKeptBuffer = 1024 * 1024;

    /// <summary>The number of excluded connections from which a set is faster than a search.</summary>
    const int ManyExcluded = 8;

    [ThreadStatic]
    static ArrayBufferWriter<byte>? _buffer;

    readonly Func<DatacakeNode> _findNode;
    readonly HubProtocols _protocols;
    readonly DeliveryQueue _deliveries;
    readonly string _serviceName;
    readonly string _invocationPrefix = $"s{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6))}.";     // unique in the cluster; the framework's ids begin with s, too
    readonly ConcurrentDictionary<string, LocalConnection> _connections = new(StringComparer.Ordinal);
    readonly ConnectionTable _all = new(), _groups = new(), _users = new();
    readonly Lock _lock = new();
    volatile ClusterLinks? _links;              // written under the lock
    Task _connected = Task.CompletedTask;       // under the lock
    bool _isDisposed;                           // under the lock
    long _lastInvocation;

    /// <exception cref="ArgumentException">The name of the hub is too long.</exception>
    public Backplane(string hub, DatacakeBackplaneOptions options, Func<DatacakeNode> findNode, HubProtocols protocols, ILogger logger)
    {
        Hub = hub;
        Options = options;
        Logger = logger;
        _findNode = findNode;
        _protocols = protocols;
        _serviceName = options.Prefix.Length == 0 ? $"{ServicePrefix}{hub}" : $"{ServicePrefix}{options.Prefix}:{hub}";
        if (Encoding.UTF8.GetByteCount(_serviceName) > MaxServiceLength)
            throw new ArgumentException($"The name of the hub {hub} is too long for the SignalR backplane. With the {nameof(options.Prefix)}, it may have {MaxServiceLength - ServicePrefix.Length} bytes. Rename the class.");
        Metrics = new BackplaneMetrics(this);
        _deliveries = new DeliveryQueue(Write);
    }

    public string Hub { get; }

    public DatacakeBackplaneOptions Options { get; }

    public ILogger Logger { get; }

    public BackplaneMetrics Metrics { get; }

    public ClientInvocations Invocations { get; } = new();

    /// <summary>Gets the links to the peers; null before the hub is first used.</summary>
    public ClusterLinks? Links => _links;

    /// <summary>Adds a connection. Waits until the peers send their messages to this node, so that the connection misses none.</summary>
    public async Task AddAsync(HubConnectionContext context)
    {
        Start();
        var connection = new LocalConnection(context);
        _connections[connection.Id] = connection;
        _all.Add(AllName, connection);
        if (context.UserIdentifier is { Length: > 0 } user)
            _users.Add(user, connection);
        Task connected;
        lock (_lock)
            connected = _connected;
        await connected.ConfigureAwait(false);
    }

    public void Remove(HubConnectionContext context)
    {
        if (!_connections.TryRemove(context.ConnectionId, out var connection))
            return;
        _all.Remove(AllName, connection);
        if (context.UserIdentifier is { Length: > 0 } user)
            _users.Remove(user, connection);
        lock (connection.Gate)
        {
            connection.IsClosed = true;
            foreach (string group in connection.Groups)
                _groups.Remove(group, connection);
        }
    }

    public LocalConnection? Find(string connectionId) => _connections.GetValueOrDefault(connectionId);

    /// <summary>Adds a connection of this node to a group. Returns false if the node does not have the connection.</summary>
    public bool TryAddToGroup(string connectionId, string group)
    {
        if (Find(connectionId) is not { } connection)
            return false;
        lock (connection.Gate)
        {
            if (!connection.IsClosed && connection.Groups.Add(group))
                _groups.Add(group, connection);
        }
        return true;
    }

    /// <summary>Removes a connection of this node from a group. Returns false if the node does not have the connection.</summary>
    public bool TryRemoveFromGroup(string connectionId, string group)
    {
        if (Find(connectionId) is not { } connection)
            return false;
        lock (connection.Gate)
        {
            if (connection.Groups.Remove(group))
                _groups.Remove(group, connection);
        }
        return true;
    }

    /// <summary>Sends a message to connections of all nodes.</summary>
    public Task SendAsync(in MessageTarget target, string method, object?[] args, CancellationToken cancellationToken)
    {
        var links = Start();
        var message = new InvocationMessage(method, args);
        // Without peers, a message is serialized only for the protocols of the connections.
        if (links.Links.Count == 0)
            return DeliverAsync(target, new SerializedHubMessage(message), forms: null, cancellationToken);
        var forms = _protocols.Serialize(message);
        var buffer = Rent();
        var writer = new MessagePackWriter(buffer);
        BackplaneEntry.WriteDeliver(ref writer, target, forms);
        writer.Flush();
        var sent = links.SendAsync(buffer.WrittenSpan, cancellationToken);
        var delivered = DeliverAsync(target, new SerializedHubMessage(forms), forms, cancellationToken);
        return sent.IsCompletedSuccessfully ? delivered : Task.WhenAll(sent, delivered);
    }

    /// <summary>Sends a message to connections by their ids. If all are on this node, no peer gets it.</summary>
    public Task SendToConnectionsAsync(IReadOnlyList<string> connectionIds, string method, object?[] args, CancellationToken cancellationToken)
    {
        var target = MessageTarget.Of(MessageScope.Connections, connectionIds);
        return connectionIds.Any(id => !_connections.ContainsKey(id))
            ? SendAsync(target, method, args, cancellationToken)
            : DeliverAsync(target, new SerializedHubMessage(new InvocationMessage(method, args)), forms: null, cancellationToken);
    }

    /// <summary>Adds a message of a peer for connections of this node, which is delivered with the next call of <see cref="Deliver"/>.</summary>
    public Task AddAsync(in MessageTarget target, SerializedMessage[] forms) => _deliveries.AddAsync(
        new Delivery(ConnectionsOf(target), target.Excluded, new SerializedHubMessage(forms), forms, CancellationToken.None) { MayLackProtocol = !_protocols.AreIn(forms) });

    /// <summary>Adds a message of a peer for one connection, like <see cref="AddAsync(in MessageTarget, SerializedMessage[])"/>.</summary>
    public Task AddAsync(LocalConnection connection, SerializedMessage[] forms) =>
        _deliveries.AddAsync(new Delivery([connection], [], new SerializedHubMessage(forms), forms, CancellationToken.None));

    /// <summary>Delivers the messages of peers that were added.</summary>
    public void Deliver() => _deliveries.Run();

    /// <summary>Adds a connection of any node to a group or removes it, and waits until that is done.</summary>
    /// <exception cref="IOException">A peer that may have the connection went away before it answered.</exception>
    /// <exception cref="TimeoutException">A peer that may have the connection did not answer in time.</exception>
    public async Task ChangeGroupAsync(EntryKind kind, string connectionId, string group, CancellationToken cancellationToken)
    {
        if (kind == EntryKind.AddToGroup ? TryAddToGroup(connectionId, group) : TryRemoveFromGroup(connectionId, group))
            return;
        var links = Start();
        var request = links.Begin();
        try
        {
            Send();
            // As in the framework, nothing is to be done for a connection that has closed.
            await WaitAsync(links, request, connectionId, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            links.End(request);
        }

        void Send()
        {
            var buffer = Rent();
            var writer = new MessagePackWriter(buffer);
            BackplaneEntry.WriteGroup(ref writer, kind, request.Id, connectionId, group);
            writer.Flush();
            links.Send(request, buffer.WrittenSpan);
        }
    }

    /// <summary>Invokes a method of a client that is connected to any node, and waits for its result.</summary>
    /// <exception cref="HubException">The client has failed, or its result is not of the type.</exception>
    /// <exception cref="IOException">The connection does not exist, or it or its node went away.</exception>
    /// <exception cref="TimeoutException">A peer that may have the connection did not answer in time.</exception>
    public async Task<T> InvokeAsync<T>(string connectionId, string method, object?[] args, CancellationToken cancellationToken)
    {
        string invocation = $"{_invocationPrefix}{Interlocked.Increment(ref _lastInvocation)}";
        var message = new InvocationMessage(invocation, method, args);
        if (Find(connectionId) is { } connection)
            return await InvokeHereAsync<T>(connection, message, cancellationToken).ConfigureAwait(false);
        var links = Start();
        var request = links.Begin();
        bool isOver = false;
        try
        {
            Send();
            if (!await WaitAsync(links, request, connectionId, cancellationToken).ConfigureAwait(false))
                throw new IOException($"Connection '{connectionId}' does not exist.");
            var result = await request.Result.WaitAsync(cancellationToken).ConfigureAwait(false);
            isOver = true;
            var protocol = _protocols.Find(result.Protocol)
                ?? throw new HubException($"The client has returned a result in the protocol '{result.Protocol}', which this node does not have.");
            var task = new TaskCompletionSource<T>();
            ClientResult.Complete(task, ClientResult.Read<T>(protocol, result.Completion));
            return await task.Task.ConfigureAwait(false);
        }
        finally
        {
            links.End(request);
            if (!isOver)
                Cancel();
        }

        void Send()
        {
            var forms = _protocols.Serialize(message);
            var buffer = Rent();
            var writer = new MessagePackWriter(buffer);
            BackplaneEntry.WriteInvoke(ref writer, request.Id, connectionId, invocation, forms);
            writer.Flush();
            links.Send(request, buffer.WrittenSpan);
        }

        void Cancel()
        {
            var buffer = Rent();
            var writer = new MessagePackWriter(buffer);
            BackplaneEntry.WriteCancel(ref writer, invocation);
            writer.Flush();
            _ = links.SendAsync(buffer.WrittenSpan, CancellationToken.None);
        }
    }

    public async ValueTask DisposeAsync()
    {
        ClusterLinks? links;
        lock (_lock)
        {
            _isDisposed = true;
            links = _links;
        }
        if (links is not null)
            await links.StopAsync().ConfigureAwait(false);
        Metrics.Dispose();
    }

    /// <summary>Returns the links, and connects with the peers when the hub is first used.</summary>
    ClusterLinks Start()
    {
        if (_links is { } links)
            return links;
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (_links is null)
            {
                var started = ClusterLinks.Start(this, _findNode(), _serviceName);
                _connected = started.ConnectAsync();
                _links = started;
            }
            return _links;
        }
    }

    async Task<T> InvokeHereAsync<T>(LocalConnection connection, InvocationMessage message, CancellationToken cancellationToken)
    {
        string invocation = message.InvocationId!;
        var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Invocations.Add(
            invocation,
            connection,
            typeof(T),
            completion => ClientResult.Complete(result, completion),
            () => result.TrySetException(new IOException($"Connection '{connection.Id}' has closed before it returned a result.")));
        try
        {
            await _deliveries.WriteAsync(new Delivery([connection], [], new SerializedHubMessage(message), Forms: null, cancellationToken)).ConfigureAwait(false);
            return await result.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Invocations.Remove(invocation);
        }
    }

    async Task<bool> WaitAsync(ClusterLinks links, PeerRequest request, string connectionId, CancellationToken cancellationToken)
    {
        try
        {
            return await request.Found.WaitAsync(Options.AcknowledgmentTimeout, links.Node.TimeProvider, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException(
                $"Connection '{connectionId}' is not on this node, and the peers that may have it did not answer within {Options.AcknowledgmentTimeout}: {request.DescribeAwaited()}. "
                + $"It is not known whether the request was carried out. If the peers are only slow, raise {nameof(Options.AcknowledgmentTimeout)}.");
        }
        catch (IOException e)
        {
            throw new IOException($"Connection '{connectionId}' is not on this node, and it is not known whether a peer has carried out the request. {e.Message}", e);
        }
    }

    // The connections are those of now, and not of the time when they are written to: a later change of a group must not overtake the message.
    Task DeliverAsync(in MessageTarget target, SerializedHubMessage message, SerializedMessage[]? forms, CancellationToken cancellationToken) =>
        _deliveries.WriteAsync(new Delivery(ConnectionsOf(target), target.Excluded, message, forms, cancellationToken));

    Task Write(Delivery delivery)
    {
        var excluded = delivery.Excluded;
        var set = excluded.Count > ManyExcluded ? excluded.ToHashSet(StringComparer.Ordinal) : null;
        List<Task>? writes = null;
        foreach (var connection in delivery.Connections)
        {
            if (excluded.Count > 0 && (set?.Contains(connection.Id) ?? excluded.Contains(connection.Id)))
                continue;
            if (delivery.MayLackProtocol && !HubProtocols.IsIn(connection.Context.Protocol.Name, delivery.Forms!))
            {
                Metrics.OnDropped(1, BackplaneMetrics.UnknownProtocol);
                AspNetCoreLog.ProtocolMissing(Logger, connection.Id, Hub, connection.Context.Protocol.Name);
                continue;
            }
            if (delivery.Parts.IsDefault || !connection.CountsMessages)
            {
                Add(connection.Context.WriteAsync(delivery.Message, delivery.CancellationToken));
                continue;
            }
            foreach (var part in delivery.Parts)
                Add(connection.Context.WriteAsync(part, delivery.CancellationToken));
        }
        return writes is null ? Task.CompletedTask : Task.WhenAll(writes);

        void Add(ValueTask write)
        {
            if (write.IsCompletedSuccessfully)
                write.GetAwaiter().GetResult();
            else
                (writes ??= []).Add(write.AsTask());
        }
    }

    IReadOnlyCollection<LocalConnection> ConnectionsOf(in MessageTarget target)
    {
        switch (target.Scope)
        {
            case MessageScope.All:
                return _all.Of(AllName);
            case MessageScope.Connections when target.Names.Count == 1:
                return Find(target.Names[0]) is { } connection ? [connection] : [];
            case MessageScope.Connections:
                return target.Names.Select(Find).OfType<LocalConnection>().ToHashSet();
        }
        var table = target.Scope switch
        {
            MessageScope.Groups => _groups,
            MessageScope.Users => _users,
            _ => null,
        };
        if (table is null)
            return [];                          // of a later version
        return target.Names.Count == 1 ? table.Of(target.Names[0]) : target.Names.SelectMany(table.Of).ToHashSet();
    }

    /// <summary>Returns the buffer of the thread, for one entry whose bytes are copied before anything else runs on the thread.</summary>
    static ArrayBufferWriter<byte> Rent()
    {
        if (_buffer is null || _buffer.Capacity > MaxKeptBuffer)
            _buffer = new ArrayBufferWriter<byte>(1024);
        _buffer.ResetWrittenCount();
        return _buffer;
    }
}
