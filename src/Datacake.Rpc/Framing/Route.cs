using System.Text;

namespace Datacake.Rpc.Framing;

/// <summary>
/// The encoding of the names of service and message, each preceded by its length (1 byte): <c>[n][service][m][message]</c>. The server uses
/// these bytes to look up the handler.
/// </summary>
static class Route
{
    /// <summary>The maximum length of a name, in bytes of UTF-8.</summary>
    public const int MaxNameLength = 255;

    /// <summary>The maximum length of a route, in bytes.</summary>
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

    /// <summary>Returns the length of the route at the start of the bytes, or 0 if there is no valid route.</summary>
    public static int Measure(ReadOnlySpan<byte> meta)
    {
        if (meta.IsEmpty || meta.Length < 2 + meta[0])
            return 0;
        var length = 2 + meta[0] + meta[1 + meta[0]];
        return length <= meta.Length ? length : 0;
    }

    /// <summary>Decodes a route whose length was determined by <see cref="Measure"/>.</summary>
    public static (string Service, string Message) Decode(ReadOnlySpan<byte> route) =>
        (Encoding.UTF8.GetString(route.Slice(1, route[0])), Encoding.UTF8.GetString(route[(2 + route[0])..]));

    public static void CheckName(string name, string parameter)
    {
        ArgumentException.ThrowIfNullOrEmpty(name, parameter);
        if (Encoding.UTF8.GetByteCount(name) > MaxNameLength)
            throw new ArgumentException($"The name '{name}' is longer than {MaxNameLength} bytes in UTF-8. Choose a shorter name.", parameter);
    }

    static int WriteName(Span<byte> target, string name, string parameter)
    {
        ArgumentException.ThrowIfNullOrEmpty(name, parameter);
        if (!Encoding.UTF8.TryGetBytes(name, target.Slice(1, MaxNameLength), out var length))
            throw new ArgumentException($"The name '{name}' is longer than {MaxNameLength} bytes in UTF-8. Choose a shorter name.", parameter);
        target[0] = (byte)length;
        return 1 + length;
    }
}
