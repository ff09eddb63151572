using System.Collections.Concurrent;
using System.Text;

namespace Datacake.EventualConsistency.Leases;

/// <summary>Acquires leases, and remembers since when this node has seen the renewals of other holders. Thread-safe.</summary>
sealed class LeaseTaker(LeaseRegister register, Func<CancellationToken, ValueTask> declare) : IAsyncDisposable
{
    public const int MaxNameLength = 200;

    const int MaxObservations = 10_000;

    /// <summary>The bytes of a key beside those of the name and the second ones of its zero characters.</summary>
    static readonly int KeyOverhead = DocumentKey.Of("x").Encoded.Length - 1;

    public static readonly TimeSpan MinDuration = TimeSpan.FromMilliseconds(100), MaxDuration = TimeSpan.FromDays(1);

    /// <summary>The maximum time for which the outcome of a canceled acquisition is looked for, to release what it may have acquired.</summary>
    static readonly TimeSpan MaxAbandonTime = TimeSpan.FromSeconds(30);

    /// <summary>The patience from which on there is no limit.</summary>
    static readonly TimeSpan MaxPatience = TimeSpan.FromDays(20);

    readonly LeaseWatch _watch = new(register);
    readonly ConcurrentDictionary<string, Observation> _observations = new(StringComparer.Ordinal);
    readonly ConcurrentDictionary<Task, bool> _abandoning = [];
    readonly CancellationTokenSource _closing = new();
    volatile bool _isDeclared;

    /// <summary>Throws if a name or a duration is invalid.</summary>
    public static void Check(string name, TimeSpan duration)
    {
        CheckName(name);
        if (duration < MinDuration || duration > MaxDuration)
        {
            throw new ArgumentOutOfRangeException(
                nameof(duration), duration, $"The lease '{name}' cannot have the duration {duration}. Use a duration from {MinDuration.TotalMilliseconds} ms to {MaxDuration.TotalHours} hours.");
        }
    }

    /// <summary>Throws if a lease cannot have a name.</summary>
    public static void CheckName(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        int length = Encoding.UTF8.GetByteCount(name);
        string shown = (name.Length > 50 ? name[..50] + "…" : name).Replace("\0", "\\0", StringComparison.Ordinal);
        if (length is 0 or > MaxNameLength)
            throw new ArgumentException($"The lease name '{shown}' has {length} bytes in UTF-8. Use a name of 1 to {MaxNameLength} bytes.", nameof(name));
        int zeros = name.Count(static character => character == '\0');
        int keyLength = length + zeros + KeyOverhead;
        if (keyLength > DocumentKey.MaxLength)
        {
            throw new ArgumentException(
                $"The lease name '{shown}' has {zeros} zero characters. Each of them takes two bytes in the key of the lease's document, which would have {keyLength} bytes; the limit is "
                    + $"{DocumentKey.MaxLength}. Use a name with fewer zero characters.", nameof(name));
        }
    }

    /// <summary>Acquires a lease. While somebody else holds it, waits.</summary>
    public async Task<Lease> AcquireAsync(string name, TimeSpan duration, CancellationToken cancellationToken)
    {
        Check(name, duration);
        await DeclareAsync(cancellationToken).ConfigureAwait(false);
        return (await AcquireAsync(name, duration, mayWait: true, cancellationToken).ConfigureAwait(false))!;
    }

    /// <summary>Acquires a lease, or returns null if somebody else holds it. Ends within twice the patience of the register, once the keyspace is declared.</summary>
    /// <exception cref="TimeoutException">The time has passed. If the lease was acquired, it is released in the background, or expires.</exception>
    public async Task<Lease?> TryAcquireAsync(string name, TimeSpan duration, CancellationToken cancellationToken)
    {
        Check(name, duration);
        await DeclareAsync(cancellationToken).ConfigureAwait(false);
        // A read and a write fail by themselves after the patience. The time that is left is for finding out what became of a write.
        var limit = register.Patience < MaxPatience ? register.Patience * 2 : Timeout.InfiniteTimeSpan;
        using var deadline = new CancellationTokenSource(limit, register.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            return await AcquireAsync(name, duration, mayWait: false, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(e.Message, e, cancellationToken);
        }
        catch (OperationCanceledException e)
        {
            throw new TimeoutException(
                $"It could not be learned within {limit.TotalSeconds:0.###} s whether the lease '{name}' was acquired. If it was, it is released in the background, or expires after "
                    + $"{duration.TotalSeconds:0.###} s. Retry when a majority of the voters is connected.", e);
        }
    }

    /// <summary>Loses all leases, because they cannot be renewed any more. Called before the store closes.</summary>
    public void Close() => _closing.Cancel();

    /// <summary>Waits until no work is left. Called once the store is closed.</summary>
    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_abandoning.Keys).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _watch.DisposeAsync().ConfigureAwait(false);
        _closing.Dispose();
    }

    async Task<Lease?> AcquireAsync(string name, TimeSpan duration, bool mayWait, CancellationToken cancellationToken)
    {
        var key = DocumentKey.Of(name);
        var holder = Guid.NewGuid();
        LeaseWaiter? waiter = null;
        LeaseRecord? unused = null;
        try
        {
            var record = await register.ReadAsync(key, cancellationToken).ConfigureAwait(false);
            while (true)
            {
                var wait = TimeUntilFree(name, record, holder);
                if (wait <= TimeSpan.Zero)
                {
                    long sentAt = register.Time.GetTimestamp(), tokenFloor = register.TokenFloor();
                    var taken = LeaseRecord.Of(holder, duration, record, tokenFloor);
                    if (await TakeAsync(name, key, record, taken, cancellationToken).ConfigureAwait(false))
                    {
                        if (register.Time.GetElapsedTime(sentAt) < Lease.HoldTimeOf(duration) && register.TokenFloor() == tokenFloor)
                        {
                            _observations.TryRemove(name, out _);
                            return new Lease(register, name, key, taken, sentAt, _closing.Token);
                        }
                        // It was confirmed too late to be relied on, or by a sequence that was founded anew, of which the token knows nothing.
                        unused = taken;
                    }
                }
                else if (!mayWait)
                {
                    return null;
                }
                else if (waiter is not null)
                {
                    record = await waiter.WaitAsync(record, wait, cancellationToken).ConfigureAwait(false);
                    continue;
                }
                else
                {
                    // A release after the following read is seen by the watch, which has begun before it.
                    waiter = await _watch.BeginAsync(key, cancellationToken).ConfigureAwait(false);
                }
                record = await register.ReadAsync(key, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (Exception) when (unused is not null)
        {
            Abandon(name, key, unused, pending: null);
            throw;
        }
        finally
        {
            waiter?.Dispose();
        }
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
        // Numbers of renewals do not tell records apart: a later founding of the sequence may have lost some, and others have taken their numbers. It may have lost a renewal of
        // the holder, too, so the time counts from when this node knew of the founding.
        var observation = _observations.AddOrUpdate(
            name, static (_, seen) => seen, static (_, before, seen) => (before.Hash, before.TokenFloor) == (seen.Hash, seen.TokenFloor) ? before : seen,
            new Observation(record.Hash, register.TokenFloor(), register.Time.GetTimestamp()));
        return record.Duration - register.Time.GetElapsedTime(observation.Since);
    }

    /// <summary>Writes the record of a new holder. Returns false if the record before has changed.</summary>
    async Task<bool> TakeAsync(string name, DocumentKey key, LeaseRecord? before, LeaseRecord after, CancellationToken cancellationToken)
    {
        try
        {
            return await register.WriteAsync(key, before, after, cancellationToken).ConfigureAwait(false);
        }
        catch (OutcomeUnknownException e)
        {
            Abandon(name, key, held: null, (e, after));
            throw new OperationCanceledException($"The acquisition of the lease '{name}' was canceled.", e, cancellationToken);
        }
    }

    /// <summary>Releases in the background what a caller that has left may have acquired, once that is known. At the latest, it expires.</summary>
    void Abandon(string name, DocumentKey key, LeaseRecord? held, (OutcomeUnknownException Unknown, LeaseRecord Record)? pending)
    {
        var abandoning = Task.Run(() => register.ReleaseAsync(key, name, held, pending, MaxAbandonTime), CancellationToken.None);
        _abandoning[abandoning] = true;
        _ = abandoning.ContinueWith(ended => _abandoning.TryRemove(ended, out _), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
    }

    /// <summary>A record of another holder.</summary>
    /// <param name="Hash">The hash of its content.</param>
    /// <param name="TokenFloor">The floor of tokens at that time, which tells foundings of the sequence apart.</param>
    /// <param name="Since">The time of this node's monotonic clock at which it first saw the record.</param>
    readonly record struct Observation(UInt128 Hash, long TokenFloor, long Since);
}
