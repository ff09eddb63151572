using Datacake.EventualConsistency.Leases;
using Datacake.Node;

namespace Datacake.EventualConsistency;

/// <summary>
/// The leases of a cluster, as a node acquires them: <c>await using var lease = await node.Leases.AcquireAsync("nightly report", TimeSpan.FromSeconds(10))</c>. At most
/// one holder in the cluster has the lease of a name at a time. Thread-safe.
/// </summary>
/// <remarks>A lease is a document that serial transactions write, so acquiring, renewing and releasing need a majority of the voters.</remarks>
public sealed class NodeLeases
{
    /// <summary>The maximum length of a lease's name, in bytes of UTF-8.</summary>
    public const int MaxNameLength = LeaseTaker.MaxNameLength;

    readonly DatacakeNode _node;

    internal NodeLeases(DatacakeNode node) => _node = node;

    /// <summary>Gets the minimum duration of a lease, 100 ms.</summary>
    public static TimeSpan MinDuration => LeaseTaker.MinDuration;

    /// <summary>Gets the maximum duration of a lease, one day.</summary>
    public static TimeSpan MaxDuration => LeaseTaker.MaxDuration;

    /// <summary>Acquires a lease. While somebody else holds it, waits until it is released or has expired.</summary>
    /// <param name="name">The name of the lease, 1 to 200 bytes in UTF-8, of which few are zero: each of them takes two bytes in a key, whose length is limited.</param>
    /// <param name="duration">
    /// The time after which the lease expires if its holder cannot renew it, from 100 ms to one day. A short one moves the lease soon after a failure; a long one survives longer
    /// interruptions of the network, and costs fewer renewals, of which there are three for each duration.
    /// </param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="ArgumentException">The name is empty or too long, or has too many zero characters.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The duration is not from 100 ms to one day.</exception>
    /// <exception cref="NotEnoughNodesException">A majority of the voters is not up.</exception>
    /// <exception cref="TimeoutException">No sequencer was found in time, or the store has not joined its cluster yet.</exception>
    /// <exception cref="ObjectDisposedException">The store is closed.</exception>
    public async Task<Lease> AcquireAsync(string name, TimeSpan duration, CancellationToken cancellationToken = default)
    {
        LeaseTaker.Check(name, duration);
        var store = await _node.OpenStoreAsync(cancellationToken).ConfigureAwait(false);
        return await store.Leases.AcquireAsync(name, duration, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Acquires a lease, or returns null if somebody else holds it now.</summary>
    /// <param name="name">The name of the lease, 1 to 200 bytes in UTF-8, of which few are zero: each of them takes two bytes in a key, whose length is limited.</param>
    /// <param name="duration">The time after which the lease expires if its holder cannot renew it, from 100 ms to one day.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <remarks>
    /// The lease of a holder that has failed is free once this node has seen it unchanged for its duration. The first call begins to count, so a later call succeeds.
    /// Once the store has joined its cluster, the call takes at most twice <see cref="ReplicatedStoreOptions.AcknowledgmentTimeout"/>. If it is not known by then whether the lease was
    /// acquired, the call throws a <see cref="TimeoutException"/>. A lease that was acquired nevertheless is released in the background for up to 30 s; otherwise, it expires after its duration.
    /// </remarks>
    /// <exception cref="ArgumentException">The name is empty or too long, or has too many zero characters.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The duration is not from 100 ms to one day.</exception>
    /// <exception cref="NotEnoughNodesException">A majority of the voters is not up.</exception>
    /// <exception cref="TimeoutException">
    /// No sequencer was found in time, the store has not joined its cluster yet, or the outcome of the acquisition was not learned in time.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The store is closed.</exception>
    public async Task<Lease?> TryAcquireAsync(string name, TimeSpan duration, CancellationToken cancellationToken = default)
    {
        LeaseTaker.Check(name, duration);
        var store = await _node.OpenStoreAsync(cancellationToken).ConfigureAwait(false);
        return await store.Leases.TryAcquireAsync(name, duration, cancellationToken).ConfigureAwait(false);
    }
}
