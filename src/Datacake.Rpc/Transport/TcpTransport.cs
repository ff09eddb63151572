using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Datacake.Rpc;

/// <summary>A transport over TCP, with Nagle's algorithm disabled (no delay) on both ends.</summary>
public sealed class TcpTransport : ITransport
{
    const int Backlog = 512;

    /// <summary>Gets the instance that servers and channels use by default.</summary>
    public static TcpTransport Default { get; } = new();

    /// <inheritdoc/>
    public async ValueTask<ITransportListener> ListenAsync(string address, CancellationToken cancellationToken = default)
    {
        var (host, port) = Parse(address);
        Socket? socket = null;
        try
        {
            var ip = await ResolveAsync(host, cancellationToken).ConfigureAwait(false);
            socket = new Socket(ip.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            if (ip.Equals(IPAddress.IPv6Any))
                socket.DualMode = true;
            socket.Bind(new IPEndPoint(ip, port));
            socket.Listen(Backlog);
            return new Listener(socket);
        }
        catch (SocketException error)
        {
            socket?.Dispose();
            throw new RpcException(RpcStatus.Connection, $"Cannot listen at {address}: {error.Message.TrimEnd('.')}.", error);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<TransportConnection> ConnectAsync(string address, CancellationToken cancellationToken = default)
    {
        var (host, port) = Parse(address);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            EndPoint target = IPAddress.TryParse(host, out var ip) ? new IPEndPoint(ip, port) : new DnsEndPoint(host, port);
            await socket.ConnectAsync(target, cancellationToken).ConfigureAwait(false);
            return new TransportConnection(new NetworkStream(socket, ownsSocket: true), address);
        }
        catch (Exception error)
        {
            socket.Dispose();
            if (error is SocketException)
                throw new RpcException(RpcStatus.Connection, $"Cannot connect to {address}: {error.Message.TrimEnd('.')}.", error);
            throw;
        }
    }

    static async ValueTask<IPAddress> ResolveAsync(string host, CancellationToken cancellationToken)
    {
        if (host == "*")
            return Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any;
        if (IPAddress.TryParse(host, out var address))
            return address;
        return (await Dns.GetHostAddressesAsync(host, cancellationToken).ConfigureAwait(false))[0];
    }

    static (string Host, int Port) Parse(string address)
    {
        ArgumentException.ThrowIfNullOrEmpty(address);
        var colon = address.LastIndexOf(':');
        var host = colon < 0 ? "" : address[..colon];
        var isBracketed = host.StartsWith('[') && host.EndsWith(']');
        if (colon < 0
            || (host.Contains(':') && !isBracketed)
            || !ushort.TryParse(address.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port))
        {
            throw new RpcException(
                RpcStatus.Connection, $"'{address}' is not a valid address. Use host:port, such as 10.0.0.1:7001 or [::1]:7001.");
        }

        return (isBracketed ? host[1..^1] : host, port);
    }

    sealed class Listener(Socket socket) : ITransportListener
    {
        public string Address { get; } = socket.LocalEndPoint!.ToString()!;

        public async ValueTask<TransportConnection> AcceptAsync(CancellationToken cancellationToken = default)
        {
            while (true)
            {
                try
                {
                    var accepted = await socket.AcceptAsync(cancellationToken).ConfigureAwait(false);
                    accepted.NoDelay = true;
                    var remote = accepted.RemoteEndPoint?.ToString() ?? "unknown";
                    return new TransportConnection(new NetworkStream(accepted, ownsSocket: true), remote);
                }
                catch (SocketException error) when (error.SocketErrorCode is SocketError.OperationAborted)
                {
                    throw new ObjectDisposedException(nameof(ITransportListener), error);
                }
                catch (SocketException error) when (error.SocketErrorCode
                    is SocketError.ConnectionReset or SocketError.ConnectionAborted or SocketError.NotConnected)
                {
                    // The peer disconnected before it was accepted. Wait for the next one.
                }
            }
        }

        public ValueTask DisposeAsync()
        {
            socket.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
