using System.Net;
using System.Net.Sockets;

namespace Datacake.Tests;

/// <summary>
/// Loopback addresses that the operating system gives to nobody else who asks for a free port, until this object is disposed.
/// Their ports are bound but nobody listens on them. A test that knows an address may listen on it, again and again; in between,
/// connections to it are refused.
/// </summary>
sealed class ReservedAddresses : IDisposable
{
    readonly List<Socket> _sockets = [];

    /// <summary>Returns an address that has not been handed out yet.</summary>
    public string Next()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _sockets.Add(socket);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        string address = socket.LocalEndPoint!.ToString()!;
        // On other systems, a port has one owner, even if the owner does not listen. There, nobody else is likely, but not certain, to get this port.
        if (!OperatingSystem.IsLinux())
            socket.Dispose();
        return address;
    }

    public string[] Next(int count) => [.. Enumerable.Range(0, count).Select(_ => Next())];

    public void Dispose() => _sockets.ForEach(socket => socket.Dispose());
}
