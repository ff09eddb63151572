using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Leases;

namespace Datacake.Data.Consuming;

/// <summary>The name of a durable consumer, which is unique in its keyspace.</summary>
sealed class ConsumerName
{
    /// <exception cref="ArgumentException">The name is empty or too long.</exception>
    public ConsumerName(string keyspace, string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        (Keyspace, Name) = (keyspace, name);
        LeaseTaker.CheckName(Lease);
    }

    public string Keyspace { get; }

    public string Name { get; }

    /// <summary>Gets the name of the lease of the node that runs the consumer.</summary>
    public string Lease => $"consumer/{Escape(Keyspace)}/{Name}";

    /// <summary>Gets the key of the consumer's record.</summary>
    public DocumentKey Key => DocumentKey.Of($"{Escape(Keyspace)}/{Name}");

    /// <summary>Escapes the character that separates the two names, so that no two consumers share a text.</summary>
    static string Escape(string keyspace) => keyspace.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);

    /// <inheritdoc/>
    public override string ToString() => $"'{Name}' of the keyspace '{Keyspace}'";
}
