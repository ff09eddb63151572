using System.Net;
using System.Net.Sockets;

namespace Datacake.Tests;

/// <summary>
/// Addresses of loopback that nobody is given who asks for a free one, until this is disposed: their ports are bound, and not listened at.
/// Whoever knows one may listen there, one after the other, and nobody answers there meanwhile.
/// </summary>
sealed class ReservedAddresses : IDisposable
{
    readonly List<Socket> _sockets = [];

    /// <summary>An address that nobody uses yet.</summary>
    public string Next()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _sockets.Add(socket);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        string address = socket.LocalEndPoint!.ToString()!;
        // Elsewhere a port has one owner, whether that listens or not: there it is only likely that nobody else is given it.
        if (!OperatingSystem.IsLinux())
            socket.Dispose();
        return address;
    }

    public string[] Next(int count) => [.. Enumerable.Range(0, count).Select(_ => Next())];

    public void Dispose() => _sockets.ForEach(socket => socket.Dispose());
}
