using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.AspNetCore;

/// <summary>The settings of data protection keys in a cluster.</summary>
public sealed class DatacakeDataProtectionOptions
{
    /// <summary>
    /// Gets or sets the name of the keyspace with the keys, the same on all nodes. No entity class and no other code may use it. Applications of one cluster that share no keys have a keyspace each.
    /// Default: <c>data-protection-keys</c>.
    /// </summary>
    public string Keyspace { get; set; } = "data-protection-keys";

    /// <summary>
    /// Gets or sets the consistency level at which a new key is stored. At <see cref="Consistency.None"/>, a node that is alone can start and make keys, and the other nodes get them when they can be
    /// reached. A higher level keeps a key if this node is lost right afterwards, and fails if too few nodes are up. Default: <see cref="Consistency.None"/>.
    /// </summary>
    public Consistency Consistency { get; set; } = Consistency.None;

    /// <summary>
    /// Gets or sets the maximum time for which a read or write of keys blocks its thread, for example because the store has not joined its cluster yet. Default: 10 s.
    /// </summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(10);

    internal Func<IServiceProvider, DatacakeNode>? FindNode { get; private set; }

    /// <summary>Uses another node than the one that <c>AddDatacake</c> registers.</summary>
    /// <param name="find">Returns the node. It is called when keys are first used.</param>
    public void UseNode(Func<IServiceProvider, DatacakeNode> find)
    {
        ArgumentNullException.ThrowIfNull(find);
        FindNode = find;
    }

    /// <summary>Checks the settings.</summary>
    /// <exception cref="ArgumentException">A setting is out of its range. The message names it.</exception>
    internal void Validate()
    {
        if (string.IsNullOrEmpty(Keyspace))
            throw new ArgumentException($"The {nameof(Keyspace)} of the data protection keys is empty. Set its name.", nameof(Keyspace));
        if (Consistency == Consistency.Serial || !Enum.IsDefined(Consistency))
        {
            throw new ArgumentException(
                $"The {nameof(Consistency)} of the data protection keys is {Consistency}, which keys that nodes make at the same time cannot have. Use another level, such as {Consistency.None} or "
                + $"{Consistency.Quorum}.", nameof(Consistency));
        }
        if (Timeout <= TimeSpan.Zero || Timeout > TimeSpan.FromDays(1))
            throw new ArgumentException($"The {nameof(Timeout)} of the data protection keys is {Timeout}. Use a positive time of at most a day.", nameof(Timeout));
    }
}
