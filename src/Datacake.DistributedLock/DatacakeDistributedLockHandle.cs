using Datacake.EventualConsistency;
using Medallion.Threading;

namespace Datacake.DistributedLock;

/// <summary>A lock that this process holds until the handle is disposed, or the lock is lost. Thread-safe.</summary>
public sealed class DatacakeDistributedLockHandle : IDistributedSynchronizationHandle
{
    readonly Lease _lease;
    readonly LossSignal _signal = new();
    readonly CancellationTokenRegistration _registration;

    internal DatacakeDistributedLockHandle(Lease lease)
    {
        _lease = lease;
        // The signal is an object of its own, so that the lease does not keep a handle alive that was forgotten.
        _registration = lease.Lost.UnsafeRegister(static signal => ((LossSignal)signal!).OnLost(), _signal);
    }

    /// <summary>Releases the lock of a handle that was not disposed, so that it is not renewed for ever.</summary>
    ~DatacakeDistributedLockHandle()
    {
        _signal.TryEnd();
        _ = _lease.DisposeAsync().AsTask();
    }

    /// <summary>
    /// Gets the token that is canceled if the lock is lost before the handle is disposed: because the node was cut off from the majority, or is stopped. Its callbacks run on the
    /// thread pool. It is not canceled when the handle is disposed.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public CancellationToken HandleLostToken
    {
        get
        {
            ObjectDisposedException.ThrowIf(_signal.IsEnded, this);
            return _signal.Token;
        }
    }

    /// <summary>
    /// Gets the number of this holder, which is greater than those of all earlier holders of the lock. A resource that refuses a smaller number than it has seen is safe from a
    /// holder that was suspended and does not know yet that it has lost the lock.
    /// </summary>
    public long FencingToken => _lease.FencingToken;

    /// <summary>Releases the lock, and blocks the thread until it is released. See <see cref="DisposeAsync"/>.</summary>
    public void Dispose()
    {
        DisposeAsync().AsTask().GetAwaiter().GetResult();
        GC.SuppressFinalize(this);
    }

    /// <summary>
    /// Releases the lock, so that somebody else can acquire it at once. If it cannot be released within 5 s, it is free once its lease has expired. Does not throw.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        // Does not wait for the callback of the registration, which may be what disposes the handle.
        if (_signal.TryEnd())
            _registration.Unregister();
        await _lease.DisposeAsync().ConfigureAwait(false);
        GC.SuppressFinalize(this);
    }
}
