using System.Collections.Concurrent;
using System.Text;

namespace Datacake.EventualConsistency.Leases;

/// <summary>Acquires leases, and remembers since when this node has seen the renewals of other holders. Thread-safe.</summary>
sealed class LeaseTaker(LeaseRegister register, Func<CancellationToken, ValueTask> declare) : IAsyncDisposable
{
    public const int MaxNameLength = 200;

    const int MaxObservations = 10_000;

    public static readonly TimeSpan MinDuration = TimeSpan.FromMilliseconds(100), MaxDuration = TimeSpan.FromDays(1);

    /// <summary>The maximum time for which the outcome of a canceled acquisition is looked for, to release what it may have acquired.</summary>
    static readonly TimeSpan MaxAbandonTime = TimeSpan.FromSeconds(30);

    readonly ConcurrentDictionary<string, Observation> _observations = new(StringComparer.Ordinal);
    readonly ConcurrentDictionary<Task, bool> _abandoning = [];
    readonly CancellationTokenSource _closing = new();
    volatile bool _isDeclared;

    /// <summary>Throws if a name or a duration is invalid.</summary>
    public static void Check(string name, TimeSpan duration)
    {
        ArgumentNullException.ThrowIfNull(name);
        int length = Encoding.UTF8.GetByteCount(name);
        if (length is 0 or > MaxNameLength)
        {
            throw new ArgumentException(
                $"The lease name '{(name.Length > 50 ? name[..50] + "…" : name)}' has {length} bytes in UTF-8. Use a name of 1 to {MaxNameLength} bytes.", nameof(name));
        }
        if (duration < MinDuration || duration > MaxDuration)
        {
            throw new ArgumentOutOfRangeException(
                nameof(duration), duration, $"The lease '{name}' cannot have the duration {duration}. Use a duration from {MinDuration.TotalMilliseconds} ms to {MaxDuration.TotalHours} hours.");
        }
    }

    /// <summary>Acquires a lease. If somebody else holds it, waits, or returns null.</summary>
    public async Task<Lease?> AcquireAsync(string name, TimeSpan duration, bool mayWait, CancellationToken cancellationToken)
    {
        Check(name, duration);
        var key = DocumentKey.Of(name);
        await DeclareAsync(cancellationToken).ConfigureAwait(false);
        var holder = Guid.NewGuid();
        var changes = new LeaseChanges(register, key, cancellationToken);
        await using var ending = changes.ConfigureAwait(false);
        var record = await register.ReadAsync(key, cancellationToken).ConfigureAwait(false);
        while (true)
        {
            var wait = TimeUntilFree(name, record, holder);
            if (wait <= TimeSpan.Zero)
            {
                long sentAt = register.Time.GetTimestamp();
                var taken = LeaseRecord.Of(holder, duration, record);
                if (await TakeAsync(name, key, record, taken, cancellationToken).ConfigureAwait(false)
                    && register.Time.GetElapsedTime(sentAt) < Lease.HoldTimeOf(duration))
                {
                    _observations.TryRemove(name, out _);
                    return new Lease(register, name, key, taken, sentAt, _closing.Token);
                }
                record = await register.ReadAsync(key, cancellationToken).ConfigureAwait(false);
            }
            else if (!mayWait)
            {
                return null;
            }
            else if (!changes.IsWatching)
            {
                // A release after this read is seen by the watch, which has begun before it.
                await changes.BeginAsync().ConfigureAwait(false);
                record = await register.ReadAsync(key, cancellationToken).ConfigureAwait(false);
            }
            else
            {
                record = await changes.WaitAsync(record, wait).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Loses all leases, because they cannot be renewed any more. Called before the store closes.</summary>
    public void Close() => _closing.Cancel();

    /// <summary>Waits until no work is left. Called once the store is closed.</summary>
    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_abandoning.Keys).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _closing.Dispose();
    }

    async ValueTask DeclareAsync(CancellationToken cancellationToken)
    {
        if (_isDeclared)
            return;
        await declare(cancellationToken).ConfigureAwait(false);
        _isDeclared = true;
    }

    /// <summary>
    /// Returns the time for which this node must see the record unchanged before it may take the lease: what is left of the holder's duration since this node first
    /// saw its last renewal.
    /// </summary>
    TimeSpan TimeUntilFree(string name, LeaseRecord? record, Guid holder)
    {
        // A record of this caller is from an acquisition that was confirmed too late to be relied on.
        if (record is null || record.IsReleased || record.Holder == holder)
        {
            _observations.TryRemove(name, out _);
            return TimeSpan.Zero;
        }
        if (_observations.Count >= MaxObservations && !_observations.ContainsKey(name))
            _observations.TryRemove(_observations.MinBy(static observation => observation.Value.Since).Key, out _);
        var observation = _observations.AddOrUpdate(
            name, static (_, seen) => seen, static (_, before, seen) => before.Renewal >= seen.Renewal ? before : seen,
            new Observation(record.Renewal, register.Time.GetTimestamp()));
        return record.Duration - register.Time.GetElapsedTime(observation.Since);
    }

    async Task<bool> TakeAsync(string name, DocumentKey key, LeaseRecord? before, LeaseRecord after, CancellationToken cancellationToken)
    {
        try
        {
            return await register.WriteAsync(key, before, after, cancellationToken).ConfigureAwait(false);
        }
        catch (OutcomeUnknownException e)
        {
            // The caller has left. What it may have acquired is released once that is known; at the latest, it expires.
            var abandoning = Task.Run(() => register.ReleaseAsync(key, name, held: null, (e, after), MaxAbandonTime), CancellationToken.None);
            _abandoning[abandoning] = true;
            _ = abandoning.ContinueWith(ended => _abandoning.TryRemove(ended, out _), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            throw new OperationCanceledException($"The acquisition of the lease '{name}' was canceled.", e, cancellationToken);
        }
    }

    /// <summary>A renewal of another holder.</summary>
    /// <param name="Renewal">The number of the renewal.</param>
    /// <param name="Since">The time of this node's monotonic clock at which it first saw the renewal.</param>
    readonly record struct Observation(long Renewal, long Since);
}
