using Datacake.EventualConsistency.Diagnostics;
using Datacake.EventualConsistency.Leases;

namespace Datacake.EventualConsistency;

/// <summary>
/// A lease that this process holds: nobody else in the cluster holds the lease of that name. It is renewed in the background until it is disposed, which releases
/// it, or lost. Thread-safe.
/// </summary>
/// <remarks>
/// The holder counts the time from the moment at which it sent the last renewal that was confirmed, and gives up an eighth of the duration early. Another
/// node waits for the whole duration after it first saw that renewal. Both measure with their own monotonic clocks, so the clocks need not agree; only their rates must not
/// differ by more than an eighth.
/// </remarks>
public sealed class Lease : IAsyncDisposable
{
    const int RenewalsPerDuration = 3, RetriesPerDuration = 24, MarginsPerDuration = 8;

    /// <summary>The maximum time between two attempts to renew, and for a release. A lease that cannot be released expires.</summary>
    static readonly TimeSpan MaxRetryDelay = TimeSpan.FromSeconds(1), MaxReleaseTime = TimeSpan.FromSeconds(5);

    readonly LeaseRegister _register;
    readonly DocumentKey _key;
    readonly TimeSpan _duration;
    readonly CancellationTokenSource _lost = new();
    readonly Lock _lock = new();
    readonly ITimer _timer;
    readonly CancellationTokenRegistration _closing;
    readonly Task _renewing;
    LeaseRecord _record;                            // written by the renewals, and read once they have ended
    (OutcomeUnknownException Unknown, LeaseRecord Record)? _pending;    // likewise: the write whose outcome is not known
    bool _isTaken;                                  // likewise: somebody else has the lease
    long _sentAt;                                   // under the lock; when the last confirmed renewal was sent
    bool _isLost;                                   // under the lock
    Task? _released;                                // under the lock

    internal Lease(LeaseRegister register, string name, DocumentKey key, LeaseRecord record, long sentAt, CancellationToken closing)
    {
        (_register, _key, _record, _sentAt, _duration) = (register, key, record, sentAt, record.Duration);
        (Name, FencingToken, Lost) = (name, record.Token, _lost.Token);
        _timer = register.Time.CreateTimer(static lease => ((Lease)lease!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        OnTimer();
        _renewing = RenewAsync();
        _closing = closing.UnsafeRegister(static lease => ((Lease)lease!).Lose("the store is closed"), this);
    }

    /// <summary>Gets the name of the lease.</summary>
    public string Name { get; }

    /// <summary>
    /// Gets the number of this holder, which is greater than those of all earlier holders of the lease. A resource that refuses a smaller number than it has seen is safe
    /// from a holder that was suspended and does not know yet that it has lost the lease.
    /// </summary>
    public long FencingToken { get; }

    /// <summary>Gets the token that is canceled when the lease is lost or disposed. Its callbacks run on the thread pool.</summary>
    public CancellationToken Lost { get; }

    /// <summary>True if the lease is held at this moment. Once false, it stays false.</summary>
    public bool IsHeld
    {
        get
        {
            lock (_lock)
                return !_isLost && RemainingTime > TimeSpan.Zero;
        }
    }

    /// <summary>Gets the time for which the holder may rely on a renewal since it has sent it.</summary>
    internal static TimeSpan HoldTimeOf(TimeSpan duration) => duration - (duration / MarginsPerDuration);

    TimeSpan RemainingTime => HoldTimeOf(_duration) - _register.Time.GetElapsedTime(_sentAt);

    /// <summary>
    /// Cancels <see cref="Lost"/> and releases the lease, so that somebody else can acquire it at once. If the lease cannot be released within 5 s, it expires after
    /// its duration. Does not throw.
    /// </summary>
    public ValueTask DisposeAsync()
    {
        lock (_lock)
            return new ValueTask(_released ??= ReleaseAsync());
    }

    async Task RenewAsync()
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        long sentAt = _sentAt;
        var wait = (_duration / RenewalsPerDuration) - _register.Time.GetElapsedTime(sentAt);
        while (true)
        {
            await Task.Delay(wait > TimeSpan.Zero ? wait : TimeSpan.Zero, _register.Time, Lost).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (Lost.IsCancellationRequested)
                return;
            sentAt = _register.Time.GetTimestamp();
            var next = _record.Renewed();
            try
            {
                if (!await _register.WriteAsync(_key, _record, next, Lost).ConfigureAwait(false))
                {
                    _isTaken = true;
                    Lose("it is no longer as the holder has written it");
                    return;
                }
                _record = next;
                Confirm(sentAt);
                wait = (_duration / RenewalsPerDuration) - _register.Time.GetElapsedTime(sentAt);
            }
            catch (OutcomeUnknownException e)
            {
                // Only because the lease is lost or disposed. A release has to find out first what is written.
                _pending = (e, next);
                return;
            }
            catch (OperationCanceledException) when (Lost.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is ObjectDisposedException or StoreExcludedException)
            {
                Lose(e.Message.TrimEnd('.'));
                return;
            }
            catch (Exception e)
            {
                // Nothing was written. The majority may be back in time.
                StoreLog.LeaseNotRenewed(_register.Logger, e, Name);
                wait = TimeSpan.FromTicks(Math.Min((_duration / RetriesPerDuration).Ticks, MaxRetryDelay.Ticks));
            }
        }
    }

    void Confirm(long sentAt)
    {
        lock (_lock)
        {
            // A confirmation that comes too late does not bring a lost lease back, even if the timer is later still.
            if (_isLost || RemainingTime <= TimeSpan.Zero)
                return;
            _sentAt = sentAt;
        }
    }

    void OnTimer()
    {
        TimeSpan remaining;
        lock (_lock)
        {
            if (_isLost)
                return;
            remaining = RemainingTime;
            // A timer may be early, and renewals move its time.
            if (remaining > TimeSpan.Zero)
            {
                _timer.Change(TimeSpan.FromMilliseconds(Math.Ceiling(remaining.TotalMilliseconds)), Timeout.InfiniteTimeSpan);
                return;
            }
        }
        Lose("no renewal was confirmed in time");
    }

    /// <param name="reason">The reason, for the log; null if the lease is disposed.</param>
    void Lose(string? reason)
    {
        lock (_lock)
        {
            if (_isLost)
                return;
            _isLost = true;
        }
        _timer.Dispose();
        if (reason is not null)
            StoreLog.LeaseLost(_register.Logger, Name, FencingToken, reason);
        _ = _lost.CancelAsync().ContinueWith(
            canceling => StoreLog.LeaseCallbackFailed(_register.Logger, canceling.Exception!, Name), CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
    }

    async Task ReleaseAsync()
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        Lose(reason: null);
        await _closing.DisposeAsync().ConfigureAwait(false);
        await _renewing.ConfigureAwait(false);
        if (!_isTaken)
            await _register.ReleaseAsync(_key, Name, _record, _pending, MaxReleaseTime).ConfigureAwait(false);
    }
}
