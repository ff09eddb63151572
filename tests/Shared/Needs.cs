using System.Net;
using System.Net.Sockets;

namespace Datacake.Tests;

/// <summary>The needs of tests that not every machine meets. Each method skips the test where its need is not met.</summary>
static class Needs
{
    /// <summary>Needs loopback addresses other than 127.0.0.1, which act as separate machines. macOS has none by default.</summary>
    public static void OtherLoopbackAddresses() =>
        Assert.SkipUnless(CanBind(IPAddress.Parse("127.0.0.2")), "This machine has no loopback address other than 127.0.0.1.");

    /// <summary>Needs IPv6, which a container often lacks.</summary>
    public static void IPv6() => Assert.SkipUnless(CanBind(IPAddress.IPv6Loopback), "This machine has no IPv6 loopback address.");

    /// <summary>Needs symbolic links in a folder, which Windows allows only to administrators and developers.</summary>
    public static void SymbolicLinks(string folder)
    {
        string link = Path.Combine(folder, "link");
        try
        {
            File.CreateSymbolicLink(link, Path.Combine(folder, "target"));
            File.Delete(link);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Assert.Skip($"This process may not create symbolic links: {exception.Message}");
        }
    }

    static bool CanBind(IPAddress address)
    {
        try
        {
            using var socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            socket.Bind(new IPEndPoint(address, 0));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
