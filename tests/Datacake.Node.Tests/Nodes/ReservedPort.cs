using System.Net;
using System.Net.Sockets;

namespace Datacake.Node.Tests;

/// <summary>One port that is reserved on several loopback addresses, which act as separate machines, until this object is disposed.</summary>
sealed class ReservedPort : IDisposable
{
    readonly List<Socket> _sockets = [];

    public ReservedPort(params string[] hosts)
    {
        if (hosts is not ["127.0.0.1"])
            Needs.OtherLoopbackAddresses();
        while (true)
        {
            Number = Reserve(hosts[0], 0);
            try
            {
                foreach (var host in hosts.Skip(1))
                    Reserve(host, Number);
                // As in ReservedAddresses, a port has one owner on other systems.
                if (!OperatingSystem.IsLinux())
                    Dispose();
                return;
            }
            catch (SocketException)
            {
                Dispose();
                _sockets.Clear();
            }
        }
    }

    public int Number { get; }

    int Reserve(string host, int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _sockets.Add(socket);
        socket.Bind(new IPEndPoint(IPAddress.Parse(host), port));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    public void Dispose() => _sockets.ForEach(socket => socket.Dispose());
}
