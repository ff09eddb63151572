using System.Collections.Concurrent;
using Datacake.EventualConsistency;
using Datacake.Node;
using Datacake.Storage;
using Microsoft.Extensions.Logging;

namespace Datacake.Administration.Backups;

/// <summary>The scheduled backups of all open stores of a node that are on a disk. Followers have none: they copy everything from a member. Thread-safe.</summary>
sealed class StoreBackups : IAsyncDisposable
{
    /// <summary>The time after which stores that were opened or closed are noticed.</summary>
    static readonly TimeSpan BetweenLooks = TimeSpan.FromSeconds(5);

    readonly DatacakeNode _node;
    readonly Func<ReplicatedStore, BackupWriter> _writerOf;
    readonly BackupOptions _options;
    readonly ILogger _logger;
    readonly ConcurrentDictionary<ReplicatedStore, BackupScheduler> _schedulers = new();
    readonly CancellationTokenSource _stopping = new();
    readonly Task _running;

    /// <param name="node">The node.</param>
    /// <param name="writerOf">Returns the writer of the backups of a store.</param>
    /// <param name="options">The validated settings, which hold for each store.</param>
    /// <param name="logger">The logger.</param>
    public StoreBackups(DatacakeNode node, Func<ReplicatedStore, BackupWriter> writerOf, BackupOptions options, ILogger logger)
    {
        (_node, _writerOf, _options, _logger) = (node, writerOf, options, logger);
        Begin();
        _running = Task.Run(RunAsync);
    }

    /// <summary>Returns the state of the backups of a store; null if there are none.</summary>
    public BackupStatus? StatusOf(ReplicatedStore store) => _schedulers.GetValueOrDefault(store)?.Status;

    /// <summary>Returns the findings, each with the remedy.</summary>
    public IEnumerable<Finding> Find() => _node.OpenStores.SelectMany(store => _schedulers.GetValueOrDefault(store)?.Find() ?? []);

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var scheduler in _schedulers.Values)
            await scheduler.DisposeAsync().ConfigureAwait(false);
        _stopping.Dispose();
    }

    async Task RunAsync()
    {
        while (true)
        {
            await Task.Delay(BetweenLooks, _node.TimeProvider, _stopping.Token).ConfigureAwait(false);
            foreach (var closed in _schedulers.Keys.Except(_node.OpenStores))
            {
                if (_schedulers.TryRemove(closed, out var scheduler))
                    await scheduler.DisposeAsync().ConfigureAwait(false);
            }
            Begin();
        }
    }

    void Begin()
    {
        foreach (var store in _node.OpenStores)
        {
            if (store is { FollowStatus: null, Storage: IDurableStorage } && !_schedulers.ContainsKey(store))
                _schedulers.TryAdd(store, new BackupScheduler(_writerOf(store), _options, store.Joined, _logger));
        }
    }
}
