using System.Net;
using System.Net.Sockets;

namespace Datacake.Tests;

/// <summary>
/// An address of loopback that nobody is given who asks for a free one, until this is disposed: its port is bound, and not listened at. So
/// whoever knows it may listen there, one after the other, and nobody answers there meanwhile.
/// </summary>
sealed class ReservedAddress : IDisposable
{
    readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public ReservedAddress()
    {
        _socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Address = _socket.LocalEndPoint!.ToString()!;
        // Elsewhere a port has one owner, listening or not: it is only likely that nobody else is given it.
        if (!OperatingSystem.IsLinux())
            _socket.Dispose();
    }

    public string Address { get; }

    public void Dispose() => _socket.Dispose();

    public override string ToString() => Address;
}
