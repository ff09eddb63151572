using System.Globalization;
using Datacake.Rpc;

namespace Datacake.Testing;

/// <summary>A network inside the process whose links between nodes can be cut. Thread-safe.</summary>
sealed class TestNetwork
{
    const int FirstPort = 7000;

    readonly InMemoryTransport _transport = new();
    readonly Lock _lock = new();
    readonly HashSet<(int, int)> _cut = [];             // under the lock; the lower node first
    readonly HashSet<Connection> _connections = [];     // under the lock

    /// <summary>Gets whether any link is cut.</summary>
    public bool IsCut
    {
        get
        {
            lock (_lock)
                return _cut.Count > 0;
        }
    }

    public static string AddressOf(int node) => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{FirstPort + node}");

    /// <summary>Returns the transport of a node.</summary>
    public ITransport TransportOf(int node) => new NodeTransport(this, node);

    /// <summary>Cuts the link between two nodes.</summary>
    public void Cut(int first, int second)
    {
        Connection[] broken;
        lock (_lock)
        {
            _cut.Add(LinkOf(first, second));
            broken = [.. _connections.Where(connection => connection.Link == LinkOf(first, second))];
        }
        foreach (var connection in broken)
            connection.Stream.Dispose();
    }

    public void Heal()
    {
        lock (_lock)
            _cut.Clear();
    }

    /// <summary>Returns the links that are cut, for errors; an empty text if there are none.</summary>
    public string Describe()
    {
        lock (_lock)
            return _cut.Count == 0 ? "" : $" Links that are cut: {string.Join(", ", _cut.Order().Select(link => $"{link.Item1}-{link.Item2}"))}.";
    }

    static (int, int) LinkOf(int first, int second) => (Math.Min(first, second), Math.Max(first, second));

    async ValueTask<TransportConnection> ConnectAsync(int node, string address, CancellationToken cancellationToken)
    {
        int peer = int.Parse(address.AsSpan(address.LastIndexOf(':') + 1), CultureInfo.InvariantCulture) - FirstPort;
        var connection = new Connection(this, LinkOf(node, peer), await _transport.ConnectAsync(address, cancellationToken).ConfigureAwait(false));
        bool isCut;
        lock (_lock)
        {
            isCut = _cut.Contains(connection.Link);
            if (!isCut)
                _connections.Add(connection);
        }
        if (!isCut)
            return connection;
        await connection.DisposeAsync().ConfigureAwait(false);
        throw new RpcException(RpcStatus.Connection, $"Cannot connect to {address}: the link between node {node} and node {peer} is cut.");
    }

    void Remove(Connection connection)
    {
        lock (_lock)
            _connections.Remove(connection);
    }

    sealed class NodeTransport(TestNetwork network, int node) : ITransport
    {
        public ValueTask<ITransportListener> ListenAsync(string address, CancellationToken cancellationToken = default) =>
            network._transport.ListenAsync(address, cancellationToken);

        public ValueTask<TransportConnection> ConnectAsync(string address, CancellationToken cancellationToken = default) =>
            network.ConnectAsync(node, address, cancellationToken);
    }

    /// <summary>The end of a connection at the node that opened it. Disposing it ends both ends.</summary>
    sealed class Connection(TestNetwork network, (int, int) link, TransportConnection inner) : TransportConnection(inner.Stream, inner.RemoteAddress)
    {
        public (int, int) Link => link;

        public override ValueTask DisposeAsync()
        {
            network.Remove(this);
            return base.DisposeAsync();
        }
    }
}
