using Datacake.EventualConsistency;
using Datacake.Node;
using Medallion.Threading;

namespace Datacake.DistributedLock;

/// <summary>A lock that at most one holder in the cluster has at a time. It is not reentrant. Thread-safe.</summary>
public sealed class DatacakeDistributedLock : IDistributedLock
{
    /// <summary>The time before an acquisition without a limit is repeated, for which there was no sequencer.</summary>
    static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(100);

    readonly Func<DatacakeNode> _node;
    readonly string _leaseName;
    readonly DatacakeDistributedLockOptions _options;

    internal DatacakeDistributedLock(Func<DatacakeNode> node, string name, DatacakeDistributedLockOptions options) =>
        (_node, Name, _leaseName, _options) = (node, name, LeaseNames.Of(name), options);

    /// <summary>Gets the name of the lock.</summary>
    public string Name { get; }

    /// <summary>Acquires the lock, or returns null if somebody else holds it until the timeout. Blocks the thread.</summary>
    /// <param name="timeout">The maximum time to wait; zero, the default, for one attempt; <see cref="Timeout.InfiniteTimeSpan"/> for no limit.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="ArgumentOutOfRangeException">The timeout is negative and not infinite, or longer than 24 days.</exception>
    /// <exception cref="NotEnoughNodesException">A majority of the voters is not up.</exception>
    /// <exception cref="TimeoutException">The timeout is zero, and no sequencer was found in time, or the outcome was not learned in time.</exception>
    /// <exception cref="ObjectDisposedException">The store is closed.</exception>
    public DatacakeDistributedLockHandle? TryAcquire(TimeSpan timeout = default, CancellationToken cancellationToken = default) =>
        TryAcquireAsync(timeout, cancellationToken).AsTask().GetAwaiter().GetResult();

    /// <summary>Acquires the lock. While somebody else holds it, blocks the thread.</summary>
    /// <param name="timeout">The maximum time to wait; null, the default, for no limit.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="ArgumentOutOfRangeException">The timeout is negative and not infinite, or longer than 24 days.</exception>
    /// <exception cref="TimeoutException">The lock was not acquired in time.</exception>
    /// <exception cref="NotEnoughNodesException">A majority of the voters is not up.</exception>
    /// <exception cref="ObjectDisposedException">The store is closed.</exception>
    public DatacakeDistributedLockHandle Acquire(TimeSpan? timeout = null, CancellationToken cancellationToken = default) =>
        AcquireAsync(timeout, cancellationToken).AsTask().GetAwaiter().GetResult();

    /// <summary>Acquires the lock, or returns null if somebody else holds it until the timeout.</summary>
    /// <inheritdoc cref="TryAcquire"/>
    public ValueTask<DatacakeDistributedLockHandle?> TryAcquireAsync(TimeSpan timeout = default, CancellationToken cancellationToken = default)
    {
        CheckTimeout(timeout);
        return new ValueTask<DatacakeDistributedLockHandle?>(WaitAsync(timeout, cancellationToken));
    }

    /// <summary>Acquires the lock. While somebody else holds it, waits.</summary>
    /// <inheritdoc cref="Acquire"/>
    public ValueTask<DatacakeDistributedLockHandle> AcquireAsync(TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        var limit = timeout ?? Timeout.InfiniteTimeSpan;
        CheckTimeout(limit);
        return new ValueTask<DatacakeDistributedLockHandle>(AcquireOrThrowAsync());

        async Task<DatacakeDistributedLockHandle> AcquireOrThrowAsync() => await WaitAsync(limit, cancellationToken).ConfigureAwait(false) ?? throw new TimeoutException(
            $"The lock '{Name}' was not acquired within {limit.TotalSeconds:0.###} s, because somebody else holds it. Retry, or wait for longer.");
    }

    IDistributedSynchronizationHandle? IDistributedLock.TryAcquire(TimeSpan timeout, CancellationToken cancellationToken) => TryAcquire(timeout, cancellationToken);

    IDistributedSynchronizationHandle IDistributedLock.Acquire(TimeSpan? timeout, CancellationToken cancellationToken) => Acquire(timeout, cancellationToken);

    async ValueTask<IDistributedSynchronizationHandle?> IDistributedLock.TryAcquireAsync(TimeSpan timeout, CancellationToken cancellationToken) =>
        await TryAcquireAsync(timeout, cancellationToken).ConfigureAwait(false);

    async ValueTask<IDistributedSynchronizationHandle> IDistributedLock.AcquireAsync(TimeSpan? timeout, CancellationToken cancellationToken) =>
        await AcquireAsync(timeout, cancellationToken).ConfigureAwait(false);

    static void CheckTimeout(TimeSpan timeout)
    {
        // The limits of Task.Wait and Monitor.TryEnter, which all locks of DistributedLock have.
        if (timeout != Timeout.InfiniteTimeSpan && (timeout < TimeSpan.Zero || timeout > TimeSpan.FromMilliseconds(int.MaxValue)))
        {
            throw new ArgumentOutOfRangeException(
                nameof(timeout), timeout, $"The timeout {timeout} is out of range. Use a time from zero to {TimeSpan.FromMilliseconds(int.MaxValue)}, or {nameof(Timeout)}.{nameof(Timeout.InfiniteTimeSpan)}.");
        }
    }

    async Task<DatacakeDistributedLockHandle?> WaitAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var node = _node();
        if (timeout == TimeSpan.Zero)
        {
            return await node.Leases.TryAcquireAsync(_leaseName, _options.LeaseDuration, cancellationToken).ConfigureAwait(false) is { } free
                ? new DatacakeDistributedLockHandle(free) : null;
        }
        using var deadline = new CancellationTokenSource(timeout, node.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            while (true)
            {
                try
                {
                    return new DatacakeDistributedLockHandle(await node.Leases.AcquireAsync(_leaseName, _options.LeaseDuration, either.Token).ConfigureAwait(false));
                }
                catch (TimeoutException)
                {
                    // No sequencer was found, and nothing was written. The caller wants to wait for longer.
                }
                await Task.Delay(RetryDelay, node.TimeProvider, either.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException e) when (either.IsCancellationRequested)
        {
            return cancellationToken.IsCancellationRequested ? throw new OperationCanceledException($"The wait for the lock '{Name}' was canceled.", e, cancellationToken) : null;
        }
    }
}
