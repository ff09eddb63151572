using System.Buffers;
using System.Text.Unicode;
using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Extensions.Caching;

/// <summary>The settings that <see cref="DatacakeDistributedCache"/> and <see cref="DatacakeHybridCache"/> have in common.</summary>
public abstract class DatacakeCacheOptions
{
    /// <summary>The minimum of <see cref="SizeLimit"/>, 1 KiB.</summary>
    public const long MinSizeLimit = 1024;

    const int MaxKeyspaceLength = 200;

    private protected DatacakeCacheOptions(string keyspace) => Keyspace = keyspace;

    /// <summary>
    /// Gets or sets the name of the keyspace with the entries, the same on all nodes. No entity class and no other code may use it. Default: <c>cache</c>, and
    /// <c>hybrid-cache</c> for the hybrid cache.
    /// </summary>
    public string Keyspace { get; set; }

    /// <summary>
    /// Gets or sets the consistency level of sets and removals. At <see cref="Consistency.None"/>, a call returns when the local node has the change, which the other nodes get within
    /// milliseconds. A higher level keeps entries when nodes fail, costs a round trip, and fails if too few nodes are up. Reads are always local. Default:
    /// <see cref="Consistency.None"/>.
    /// </summary>
    public Consistency Consistency { get; set; } = Consistency.None;

    /// <summary>
    /// Gets or sets the limit of the keyspace's length in bytes, which is the sum of all keys and values and 64 bytes for each; null for no limit. If it is exceeded, entries are removed
    /// in the background: first those that expire first, where an entry without an expiry counts as if it expired a day after it was set. A larger value is refused. The same limit on
    /// all nodes; at least 1 KiB. Default: 1 GiB.
    /// </summary>
    public long? SizeLimit { get; set; } = 1L << 30;

    /// <summary>Gets the function that finds the node in an application's services; null for the registered one.</summary>
    internal Func<IServiceProvider, DatacakeNode>? FindNode { get; private set; }

    /// <summary>
    /// Uses another node than the one that <c>AddDatacake</c> registers, for example one that keeps the cache in memory while the registered node stores its data in files.
    /// </summary>
    /// <param name="find">Returns the node. It is called once, when the cache is first used.</param>
    public void UseNode(Func<IServiceProvider, DatacakeNode> find)
    {
        ArgumentNullException.ThrowIfNull(find);
        FindNode = find;
    }

    /// <summary>Checks the settings.</summary>
    /// <exception cref="ArgumentException">A setting is out of its range. The message names it.</exception>
    internal virtual void Validate()
    {
        if (string.IsNullOrEmpty(Keyspace))
            throw new ArgumentException($"The {nameof(Keyspace)} of a cache is empty. Set its name.", nameof(Keyspace));
        // The same rules as those of the store, which would find the error at the first use only.
        if (Keyspace.Length > MaxKeyspaceLength)
        {
            throw new ArgumentException(
                $"The {nameof(Keyspace)} of a cache, '{Keyspace[..50]}…', has {Keyspace.Length} characters. Use a name of at most {MaxKeyspaceLength} characters.", nameof(Keyspace));
        }
        if (Utf8.FromUtf16(Keyspace, stackalloc byte[3 * MaxKeyspaceLength], out _, out _, replaceInvalidSequences: false) != OperationStatus.Done)
            throw new ArgumentException($"The {nameof(Keyspace)} of a cache, '{Keyspace}', contains half of a surrogate pair, which is not a character. Remove it.", nameof(Keyspace));
        if (Consistency == Consistency.Serial || !Enum.IsDefined(Consistency))
        {
            throw new ArgumentException(
                $"The {nameof(Consistency)} of a cache is {Consistency}, which entries that expire cannot have. Use another level, such as {Consistency.None} or {Consistency.Quorum}.",
                nameof(Consistency));
        }
        if (SizeLimit < MinSizeLimit)
            throw new ArgumentException($"The {nameof(SizeLimit)} of a cache is {SizeLimit} bytes. Use at least {MinSizeLimit} bytes, or null for no limit.", nameof(SizeLimit));
    }

    private protected static void CheckPositive(TimeSpan? time, string name)
    {
        if (time <= TimeSpan.Zero)
            throw new ArgumentException($"The {name} of a cache is {time}. Use a positive time.", name);
    }

    internal static TOptions Create<TOptions>(Action<TOptions> configure)
        where TOptions : DatacakeCacheOptions, new()
    {
        ArgumentNullException.ThrowIfNull(configure);
        var options = new TOptions();
        configure(options);
        options.Validate();
        return options;
    }
}
