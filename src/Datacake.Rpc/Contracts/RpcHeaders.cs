using System.Buffers.Binary;
using System.Text;

namespace Datacake.Rpc;

/// <summary>
/// Small texts that are sent with a call or a stream in addition to its message, such as the identity of the caller or a trace. Headers are
/// immutable and encoded once, so reuse an instance for many calls. Headers and route together must fit into the
/// <see cref="RpcLimits.HeaderSize"/> of the receiver. If there is a current trace, the channel sets the keys <c>traceparent</c> and
/// <c>tracestate</c>.
/// </summary>
public sealed class RpcHeaders
{
    const int MaxKeySize = byte.MaxValue;

    readonly KeyValuePair<string, string>[] _items;     // Few items, so a linear search is enough.

    /// <summary>Initializes headers with the given keys and values.</summary>
    /// <exception cref="ArgumentException">
    /// A key is empty, longer than 255 bytes or a duplicate, or a value is longer than 65,535 bytes.
    /// </exception>
    public RpcHeaders(params IEnumerable<KeyValuePair<string, string>> items)
    {
        ArgumentNullException.ThrowIfNull(items);
        _items = [.. items];
        Encoded = Encode(_items);
    }

    RpcHeaders(KeyValuePair<string, string>[] items, byte[] encoded) => (_items, Encoded) = (items, encoded);

    /// <summary>Gets an instance without any headers.</summary>
    public static RpcHeaders Empty { get; } = new([], []);

    /// <summary>Gets all keys and values.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Items => _items;

    /// <summary>
    /// Gets the encoded headers. Each consists of key length (1 byte), key, value length (2 bytes, little-endian) and value; texts are in
    /// UTF-8.
    /// </summary>
    internal byte[] Encoded { get; }

    /// <summary>Gets the value of a key, or <see langword="null"/> if the key does not exist. Keys are case-sensitive.</summary>
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

    /// <summary>Returns headers in which one key is added or its value replaced.</summary>
    /// <exception cref="ArgumentException">
    /// The key is empty or longer than 255 bytes, or the value is longer than 65,535 bytes.
    /// </exception>
    public RpcHeaders With(string key, string value) =>
        new([.. _items.Where(item => item.Key != key), new KeyValuePair<string, string>(key, value)]);

    /// <summary>Returns whether the bytes are well-formed headers.</summary>
    internal static bool IsReadable(ReadOnlySpan<byte> encoded)
    {
        while (!encoded.IsEmpty)
        {
            if (!TryTake(ref encoded, out _, out _))
                return false;
        }

        return true;
    }

    /// <summary>Decodes bytes for which <see cref="IsReadable"/> returns true. If a key occurs twice, the first value counts.</summary>
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
                throw new ArgumentException($"The header '{key}' occurs twice. Each key may occur only once.");
            var (keyBytes, valueBytes) = (Encoding.UTF8.GetBytes(key), Encoding.UTF8.GetBytes(value));
            if (keyBytes.Length > MaxKeySize || valueBytes.Length > ushort.MaxValue)
            {
                throw new ArgumentException(
                    $"The header '{key}' is too long. Its key has {keyBytes.Length} bytes (at most {MaxKeySize}), and its value has "
                    + $"{valueBytes.Length} (at most {ushort.MaxValue}).");
            }

            BinaryPrimitives.WriteUInt16LittleEndian(valueLength, (ushort)valueBytes.Length);
            target.WriteByte((byte)keyBytes.Length);
            target.Write(keyBytes);
            target.Write(valueLength);
            target.Write(valueBytes);
        }

        return target.ToArray();
    }
}
