using System.Net;
using System.Net.Sockets;

namespace Datacake.Shop;

/// <summary>Ports of loopback that the system gives to nobody else until this object is disposed, so that a node that is started again finds its own free.</summary>
sealed class FreePorts : IDisposable
{
    readonly List<Socket> _sockets = [];

    /// <summary>Returns an address with a port that has not been handed out yet.</summary>
    public string Next()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _sockets.Add(socket);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        string address = $"{socket.LocalEndPoint}";
        // On Linux, another socket can listen at a port to which one is only bound. Elsewhere, nobody else is likely to get the port.
        if (!OperatingSystem.IsLinux())
            socket.Dispose();
        return address;
    }

    public void Dispose() => _sockets.ForEach(static socket => socket.Dispose());
}
