using System.Net;
using System.Net.Sockets;

namespace Datacake.PostgreSql.Tests;

/// <summary>A network between a store and its server that can break at a chosen moment.</summary>
sealed class Proxy : IAsyncDisposable
{
    readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    readonly IPEndPoint _server;
    readonly Task _accepting;
    readonly List<Task> _forwarding = [];       // Under the lock of itself.
    readonly HashSet<Socket> _sockets = [];     // Under the lock of _forwarding.
    volatile Break _next;
    volatile bool _isDown;

    public Proxy(int port)
    {
        _server = new IPEndPoint(IPAddress.Loopback, port);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>The moments at which a connection can break.</summary>
    public enum Break
    {
        None,

        /// <summary>The moment after the store has sent something, before the server receives it.</summary>
        BeforeRequest,

        /// <summary>The moment after the server has answered, before the store receives the answer.</summary>
        BeforeAnswer,
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Gets or sets whether all connections are refused.</summary>
    public bool IsDown
    {
        get => _isDown;
        set => _isDown = value;
    }

    /// <summary>Gets the number of breaks so far.</summary>
    public int Breaks { get; private set; }

    /// <summary>Breaks the next connection that reaches a moment.</summary>
    public void BreakNext(Break moment, bool thenDown = false) => (_next, ThenDown) = (moment, thenDown);

    bool ThenDown { get; set; }

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        lock (_forwarding)
        {
            foreach (Socket socket in _sockets)
                socket.Dispose();
        }
        await _accepting;
        await Task.WhenAll(_forwarding);
    }

    async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                Socket client = await _listener.AcceptSocketAsync();
                if (_isDown)
                {
                    client.Dispose();
                    continue;
                }
                var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                try
                {
                    await server.ConnectAsync(_server);
                }
                catch (SocketException)
                {
                    client.Dispose();
                    continue;
                }
                client.NoDelay = server.NoDelay = true;
                lock (_forwarding)
                {
                    _sockets.UnionWith([client, server]);
                    _forwarding.Add(ForwardAsync(client, server, Break.BeforeRequest));
                    _forwarding.Add(ForwardAsync(server, client, Break.BeforeAnswer));
                }
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The proxy is closing.
        }
    }

    async Task ForwardAsync(Socket from, Socket to, Break moment)
    {
        byte[] buffer = new byte[64 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer) is > 0 and var count)
            {
                if (_next == moment)
                {
                    _next = Break.None;
                    _isDown |= ThenDown;
                    Breaks++;
                    break;
                }
                await to.SendAsync(buffer.AsMemory(0, count));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The other direction has ended.
        }
        from.Dispose();
        to.Dispose();
    }
}
