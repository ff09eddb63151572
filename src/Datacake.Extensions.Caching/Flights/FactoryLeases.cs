using Datacake.EventualConsistency;
using Datacake.Extensions.Caching.Diagnostics;
using Datacake.Extensions.Caching.Keyspaces;

namespace Datacake.Extensions.Caching.Flights;

/// <summary>
/// The leases with which one factory in the cluster runs for a key. There is a fixed number of them, because the name of a lease takes space for ever; keys that have the same one wait for each
/// other.
/// </summary>
/// <param name="options">The settings of the cache.</param>
sealed class FactoryLeases(DatacakeHybridCacheOptions options)
{
    const int Slots = 256;
    const int MaxKeyspaceName = 60;         // in the name of a lease

    /// <summary>The time for which no lease is asked for after that failed, because each attempt without a majority waits for it.</summary>
    static readonly TimeSpan PauseAfterFailure = TimeSpan.FromSeconds(5);

    readonly AsyncLocal<FactoryScope?> _scope = new();
    long _pausedUntil;                      // in ticks of UTC

    /// <summary>
    /// True in a factory that runs under a lease. A factory that asks for another entry acquires no second lease, and waits for no caller that acquires one, since two of them could wait for each other.
    /// </summary>
    public bool IsInFactory => _scope.Value is { IsRunning: true };

    /// <summary>Enters a factory that runs under a lease, until the result is disposed. Work that the factory starts and leaves behind is no longer in it then.</summary>
    public IDisposable EnterFactory() => _scope.Value = new FactoryScope();

    /// <summary>Returns true unless leases could not be acquired lately.</summary>
    public bool AreAvailable(OpenedKeyspace opened) => opened.Now.UtcTicks >= Volatile.Read(ref _pausedUntil);

    /// <summary>Acquires the lease for an entry, or returns the value that another node has made in the meantime. Returns neither if leases cannot be acquired.</summary>
    /// <param name="opened">The keyspace.</param>
    /// <param name="flight">The flight that needs the value.</param>
    /// <param name="read">Reads the entry at a level.</param>
    public async Task<(Lease? Lease, ProducedValue<T>? Found)> AcquireAsync<T>(OpenedKeyspace opened, Flight<T> flight, Func<Consistency, Task<ProducedValue<T>?>> read)
    {
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(flight.Abandoned);
        var acquiring = opened.Node.Leases.AcquireAsync(NameOf(flight.Document), options.LeaseDuration, waiting.Token);
        bool isKept = false;
        try
        {
            await Task.WhenAny(acquiring, flight.Arrival).ConfigureAwait(false);
            if (!acquiring.IsCompleted && await read(Consistency.None).ConfigureAwait(false) is { } arrived)
                return (null, arrived);
            var lease = await acquiring.ConfigureAwait(false);
            // The holder before has stored its value at a quorum.
            if (await read(Consistency.Quorum).ConfigureAwait(false) is { } found)
                return (null, found);
            isKept = true;
            return (lease, null);
        }
        catch (Exception e) when (e is NotEnoughNodesException or TimeoutException or OutcomeUnknownException or Storage.StorageException or StoreExcludedException)
        {
            CachingLog.WithoutLease(opened.Logger, e, options.Keyspace);
            Volatile.Write(ref _pausedUntil, (opened.Now + PauseAfterFailure).UtcTicks);
            return (null, null);
        }
        finally
        {
            if (!isKept)
            {
                await waiting.CancelAsync().ConfigureAwait(false);
                await ReleaseAsync(acquiring).ConfigureAwait(false);
            }
        }
    }

    static async Task ReleaseAsync(Task<Lease> acquiring)
    {
        try
        {
            var lease = await acquiring.ConfigureAwait(false);
            await lease.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception)
        {
            // It was not acquired, which is what is wanted.
        }
    }

    string NameOf(DocumentKey document)
    {
        // FNV-1a: the same on all nodes.
        uint hash = 2_166_136_261;
        foreach (byte part in document.Encoded.Span)
            hash = (hash ^ part) * 16_777_619;
        string keyspace = options.Keyspace.Length <= MaxKeyspaceName ? options.Keyspace : options.Keyspace[..MaxKeyspaceName];
        return $"cache:{keyspace}:{hash % Slots}";
    }

    sealed class FactoryScope : IDisposable
    {
        volatile bool _hasEnded;

        public bool IsRunning => !_hasEnded;

        public void Dispose() => _hasEnded = true;
    }
}
