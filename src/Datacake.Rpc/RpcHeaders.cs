using System.Buffers.Binary;
using System.Text;

namespace Datacake.Rpc;

/// <summary>
/// Small texts that travel with a call or a stream, beside its message: who calls, on whose behalf, a trace. Immutable, and encoded once:
/// keep an instance to use it for many calls. Together with the route it must fit into the <see cref="RpcLimits.HeaderSize"/> of the
/// receiver. The keys <c>traceparent</c> and <c>tracestate</c> are set by the channel where there is a trace.
/// </summary>
public sealed class RpcHeaders
{
    const int MaxKeySize = byte.MaxValue;

    readonly KeyValuePair<string, string>[] _items;     // few: looked through, not hashed

    /// <summary>Headers with these keys and values.</summary>
    /// <exception cref="ArgumentException">A key is empty, too long or there twice, or a value is longer than 65,535 bytes.</exception>
    public RpcHeaders(params IEnumerable<KeyValuePair<string, string>> items)
    {
        ArgumentNullException.ThrowIfNull(items);
        _items = [.. items];
        Encoded = Encode(_items);
    }

    RpcHeaders(KeyValuePair<string, string>[] items, byte[] encoded) => (_items, Encoded) = (items, encoded);

    /// <summary>No headers.</summary>
    public static RpcHeaders Empty { get; } = new([], []);

    /// <summary>All of them.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Items => _items;

    /// <summary>For each: key length (1 byte), key, value length (2, little-endian), value, in UTF-8.</summary>
    internal byte[] Encoded { get; }

    /// <summary>The value under a key, or null if there is none. Keys differ by case.</summary>
    public string? this[string key]
    {
        get
        {
            foreach (var item in _items)
            {
                if (item.Key == key)
                    return item.Value;
            }

            return null;
        }
    }

    /// <summary>These headers and one more, or with another value for a key that they have.</summary>
    /// <exception cref="ArgumentException">The key is empty or too long, or the value is longer than 65,535 bytes.</exception>
    public RpcHeaders With(string key, string value) =>
        new([.. _items.Where(item => item.Key != key), new KeyValuePair<string, string>(key, value)]);

    /// <summary>Whether the bytes are headers.</summary>
    internal static bool IsReadable(ReadOnlySpan<byte> encoded)
    {
        while (!encoded.IsEmpty)
        {
            if (!TryTake(ref encoded, out _, out _))
                return false;
        }

        return true;
    }

    /// <summary>Reads what <see cref="IsReadable"/>. Of a key that is there twice, the first counts.</summary>
    internal static RpcHeaders Decode(ReadOnlySpan<byte> encoded)
    {
        if (encoded.IsEmpty)
            return Empty;
        var bytes = encoded.ToArray();
        var items = new List<KeyValuePair<string, string>>();
        while (TryTake(ref encoded, out var key, out var value))
            items.Add(new(Encoding.UTF8.GetString(key), Encoding.UTF8.GetString(value)));
        return new RpcHeaders([.. items], bytes);
    }

    static bool TryTake(ref ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value)
    {
        key = value = default;
        if (rest.IsEmpty || rest[0] == 0 || rest.Length < 3 + rest[0])
            return false;
        key = rest.Slice(1, rest[0]);
        var length = BinaryPrimitives.ReadUInt16LittleEndian(rest[(1 + key.Length)..]);
        rest = rest[(3 + key.Length)..];
        if (rest.Length < length)
            return false;
        value = rest[..length];
        rest = rest[length..];
        return true;
    }

    static byte[] Encode(KeyValuePair<string, string>[] items)
    {
        var keys = new HashSet<string>();
        using var target = new MemoryStream();
        Span<byte> valueLength = stackalloc byte[2];
        foreach (var (key, value) in items)
        {
            ArgumentException.ThrowIfNullOrEmpty(key);
            ArgumentNullException.ThrowIfNull(value);
            if (!keys.Add(key))
                throw new ArgumentException($"The header '{key}' is there twice.");
            var (keyBytes, valueBytes) = (Encoding.UTF8.GetBytes(key), Encoding.UTF8.GetBytes(value));
            if (keyBytes.Length > MaxKeySize || valueBytes.Length > ushort.MaxValue)
                throw new ArgumentException($"The header '{key}' is too long: {keyBytes.Length} bytes and a value of {valueBytes.Length}.");
            BinaryPrimitives.WriteUInt16LittleEndian(valueLength, (ushort)valueBytes.Length);
            target.WriteByte((byte)keyBytes.Length);
            target.Write(keyBytes);
            target.Write(valueLength);
            target.Write(valueBytes);
        }

        return target.ToArray();
    }
}
