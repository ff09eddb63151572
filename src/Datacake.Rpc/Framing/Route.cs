using System.Text;

namespace Datacake.Rpc.Framing;

/// <summary>
/// The names of service and message as they travel, each with its length (1 byte) in front: <c>[n][service][m][message]</c>. These
/// bytes are what the server looks a handler up by.
/// </summary>
static class Route
{
    /// <summary>The most UTF-8 bytes of one name.</summary>
    public const int MaxNameLength = 255;

    /// <summary>Room for any route.</summary>
    public const int MaxLength = 2 * (1 + MaxNameLength);

    /// <summary>Writes a route and returns its length.</summary>
    /// <exception cref="ArgumentException">A name is empty or too long.</exception>
    public static int Write(Span<byte> target, string service, string message)
    {
        var length = WriteName(target, service, nameof(service));
        return length + WriteName(target[length..], message, nameof(message));
    }

    public static byte[] Encode(string service, string message)
    {
        Span<byte> route = stackalloc byte[MaxLength];
        return route[..Write(route, service, message)].ToArray();
    }

    /// <summary>How many of the bytes are the route; 0 when they are none.</summary>
    public static int Measure(ReadOnlySpan<byte> meta)
    {
        if (meta.IsEmpty || meta.Length < 2 + meta[0])
            return 0;
        var length = 2 + meta[0] + meta[1 + meta[0]];
        return length <= meta.Length ? length : 0;
    }

    /// <summary>Reads the names of a route that was measured.</summary>
    public static (string Service, string Message) Decode(ReadOnlySpan<byte> route) =>
        (Encoding.UTF8.GetString(route.Slice(1, route[0])), Encoding.UTF8.GetString(route[(2 + route[0])..]));

    public static void CheckName(string name, string parameter)
    {
        ArgumentException.ThrowIfNullOrEmpty(name, parameter);
        if (Encoding.UTF8.GetByteCount(name) > MaxNameLength)
            throw new ArgumentException($"'{name}' is longer than {MaxNameLength} bytes of UTF-8.", parameter);
    }

    static int WriteName(Span<byte> target, string name, string parameter)
    {
        ArgumentException.ThrowIfNullOrEmpty(name, parameter);
        if (!Encoding.UTF8.TryGetBytes(name, target.Slice(1, MaxNameLength), out var length))
            throw new ArgumentException($"'{name}' is longer than {MaxNameLength} bytes of UTF-8.", parameter);
        target[0] = (byte)length;
        return 1 + length;
    }
}
