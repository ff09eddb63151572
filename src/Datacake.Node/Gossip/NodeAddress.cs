using System.Globalization;
using System.Net;

namespace Datacake.Node.Gossip;

/// <summary>Parser and formatter of addresses of the form <c>host:port</c> or <c>[IPv6 address]:port</c>.</summary>
static class NodeAddress
{
    /// <summary>Parses an address. Returns false if it does not have the right form.</summary>
    public static bool TryParse(string address, out string host, out int port)
    {
        host = "";
        port = 0;
        var colon = address.LastIndexOf(':');
        if (colon <= 0 || !ushort.TryParse(address.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            return false;
        host = address[..colon];
        port = number;
        if (host.StartsWith('[') && host.EndsWith(']'))
        {
            host = host[1..^1];
            return IPAddress.TryParse(host, out _) && host.Contains(':', StringComparison.Ordinal);
        }
        return !host.Contains(':', StringComparison.Ordinal) && Uri.CheckHostName(host) != UriHostNameType.Unknown;
    }

    /// <summary>Returns true if a connection can be opened to the address.</summary>
    public static bool IsValid(string address) => TryParse(address, out _, out var port) && port != 0;

    public static string Format(string host, int port)
        => string.Create(CultureInfo.InvariantCulture, $"{(host.Contains(':', StringComparison.Ordinal) ? $"[{host}]" : host)}:{port}");

    /// <exception cref="ArgumentException">The address is invalid.</exception>
    public static void Check(string address, string parameter, bool allowPortZero)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(address, parameter);
        if (!TryParse(address, out _, out var port))
            throw new ArgumentException(
                $"'{address}' is not an address. Use the form host:port, such as '10.0.0.5:7001', 'shop-1:7001' or '[::1]:7001'.", parameter);
        if (port == 0 && !allowPortZero)
            throw new ArgumentException(
                $"'{address}' has port 0, to which no connection is possible. Use the port that the node listens on.", parameter);
    }

    /// <summary>Returns the host of an address, or the whole text if it is not an address.</summary>
    public static string HostOf(string address) => TryParse(address, out var host, out _) ? host : address;

    /// <summary>Returns true if the host of an address is a name that has to be resolved.</summary>
    public static bool IsName(string address) => TryParse(address, out var host, out _) && !IPAddress.TryParse(host, out _);

    /// <summary>Returns true for <c>0.0.0.0</c> and <c>[::]</c>.</summary>
    public static bool IsAnyInterface(string address)
        => TryParse(address, out var host, out _) && IPAddress.TryParse(host, out var ip)
            && (ip.Equals(IPAddress.Any) || ip.Equals(IPAddress.IPv6Any));
}
