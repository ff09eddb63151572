using Datacake.Node;
using Medallion.Threading;

namespace Datacake.DistributedLock;

/// <summary>
/// The locks of a cluster: <c>await using (await provider.AcquireLockAsync("nightly report")) { … }</c>. At most one holder in the cluster has the lock of a name at a time.
/// Thread-safe.
/// </summary>
public sealed class DatacakeDistributedLockProvider : IDistributedLockProvider
{
    readonly Func<DatacakeNode> _node;
    readonly DatacakeDistributedLockOptions _options;

    /// <summary>Creates a provider of the locks of a node's cluster.</summary>
    /// <param name="node">The node. Its store is opened when the first lock is acquired.</param>
    public DatacakeDistributedLockProvider(DatacakeNode node)
        : this(node, static _ => { })
    {
    }

    /// <summary>Creates a provider of the locks of a node's cluster, with other settings than the defaults.</summary>
    /// <param name="node">The node. Its store is opened when the first lock is acquired.</param>
    /// <param name="configure">Changes the settings.</param>
    /// <exception cref="ArgumentException">A setting is out of its range.</exception>
    public DatacakeDistributedLockProvider(DatacakeNode node, Action<DatacakeDistributedLockOptions> configure)
        : this(() => node, DatacakeDistributedLockOptions.Create(configure)) => ArgumentNullException.ThrowIfNull(node);

    internal DatacakeDistributedLockProvider(Func<DatacakeNode> node, DatacakeDistributedLockOptions options) => (_node, _options) = (node, options);

    /// <summary>Returns the lock of a name. It is acquired by the methods of the lock, as often as needed.</summary>
    /// <param name="name">The name, which can be any string. Names are compared exactly.</param>
    public DatacakeDistributedLock CreateLock(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return new DatacakeDistributedLock(_node, name, _options);
    }

    IDistributedLock IDistributedLockProvider.CreateLock(string name) => CreateLock(name);
}
