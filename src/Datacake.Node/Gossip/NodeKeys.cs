namespace Datacake.Node.Gossip;

/// <summary>The keys that a node publishes by gossip. The node's own keys begin with <c>node.</c>; all others are labels.</summary>
static class NodeKeys
{
    const string Reserved = "node.";

    /// <summary>The RPC address.</summary>
    public const string Address = "node.address";

    public const string DataCenter = "node.data_center";

    /// <summary>
    /// The key whose value becomes <see cref="Left"/> when the node announces that it leaves. It is not published before.
    /// </summary>
    public const string State = "node.state";

    public const string Left = "left";

    /// <summary>
    /// The key that only nodes of this implementation publish. If two nodes use the same id, it shows which of them can be a member.
    /// </summary>
    public const string Protocol = "node.protocol";

    /// <summary>The version of these keys. A node that publishes another version is logged.</summary>
    public const string ProtocolVersion = "1";

    /// <summary>The id of the node's replicated store, in hexadecimal.</summary>
    public const string Store = "node.store";

    /// <summary>The maximum length of the name of a store, in bytes of UTF-8. The name is also part of the name of an RPC service.</summary>
    public const int MaxStoreNameLength = 200;

    /// <summary>The beginning of the keys that name the stores that the node holds besides its own one: one key for each store, with an empty value.</summary>
    const string NamedStorePrefix = "node.store/";

    /// <summary>Returns the key that says that the node holds a named store.</summary>
    public static string NamedStore(string name) => NamedStorePrefix + name;

    /// <summary>Returns the name of the store of which a key says that the node holds it, or null if it is another key.</summary>
    public static string? NamedStoreOf(string key) => key.StartsWith(NamedStorePrefix, StringComparison.Ordinal) ? key[NamedStorePrefix.Length..] : null;

    /// <exception cref="ArgumentException">The name cannot be the name of a store.</exception>
    public static void CheckStoreName(string name)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        if (name.Any(char.IsControl) || System.Text.Encoding.UTF8.GetByteCount(name) > MaxStoreNameLength)
        {
            throw new ArgumentException(
                $"The name of the store, '{name}', has control characters, or is longer than {MaxStoreNameLength} bytes in UTF-8. Choose a shorter name of printable characters.", nameof(name));
        }
    }

    public static bool IsLabel(string key) => !key.StartsWith(Reserved, StringComparison.Ordinal);

    /// <exception cref="ArgumentException">The label cannot be published.</exception>
    public static void CheckLabel(string key, string value)
    {
        ArgumentException.ThrowIfNullOrEmpty(key);
        ArgumentNullException.ThrowIfNull(value);
        if (!IsLabel(key))
            throw new ArgumentException(
                $"The label '{key}' is reserved because it begins with '{Reserved}'. Use another name.", nameof(key));
        EntryLimits.Check(key, value, WireFormat.MaxTextLength);
    }
}
