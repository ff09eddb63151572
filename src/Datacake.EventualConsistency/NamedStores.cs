using Datacake.EventualConsistency.Diagnostics;
using Datacake.EventualConsistency.Hosts;
using Datacake.EventualConsistency.Joining;
using Datacake.EventualConsistency.Options;
using Datacake.Node;
using Datacake.Storage;
using Microsoft.Extensions.Logging;

namespace Datacake.EventualConsistency;

/// <summary>
/// The named stores of a node, which are opened and closed while the node runs. Each is independent of the others, and of the node's own
/// store. Thread-safe.
/// </summary>
sealed class NamedStores : IAsyncDisposable
{
    readonly DatacakeNode _node;
    readonly NamedStoreSettings _settings;
    readonly HeldStores _held;
    readonly HolderService _service;
    readonly Lock _lock = new();
    readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);      // under the lock
    bool _isClosed;                                                                 // under the lock

    /// <summary>A store that is being opened, is open, or is being closed.</summary>
    sealed class Entry(string name)
    {
        public string Name { get; } = name;

        public TaskCompletionSource<ReplicatedStore> Opened { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public IStorage? Storage { get; set; }

        /// <summary>True if the store follows its holders, and so is none of them.</summary>
        public bool IsFollower { get; init; }

        /// <summary>Gets or sets the task that closes the store; null while nobody has asked for that.</summary>
        public Task? Closing { get; set; }
    }

    public NamedStores(DatacakeNode node, NamedStoreSettings settings, HeldStores held)
    {
        _node = node;
        _settings = settings;
        _held = held;
        _service = new HolderService(node.Id, Holds);
        node.Server.AddService(_service);
    }

    /// <summary>Gets the stores that are open, ordered by name.</summary>
    public IReadOnlyList<ReplicatedStore> Open
    {
        get
        {
            lock (_lock)
            {
                return [.. _entries.Values.Where(static entry => entry.Closing is null && entry.Opened.Task.IsCompletedSuccessfully)
                    .OrderBy(static entry => entry.Name, StringComparer.Ordinal).Select(static entry => entry.Opened.Task.Result)];
            }
        }
    }

    /// <summary>Returns a store, which is opened first if the node has a configuration for it.</summary>
    /// <exception cref="StoreNotHeldException">The node has no configuration for the store.</exception>
    public ValueTask<ReplicatedStore> OpenAsync(string name, CancellationToken cancellationToken) => OpenOrFindAsync(name, configured: null, mustBeNew: false, cancellationToken);

    /// <summary>Opens a store that is not open.</summary>
    /// <exception cref="InvalidOperationException">The store is open or is being opened.</exception>
    public ValueTask<ReplicatedStore> OpenAsync(string name, NamedStoreOptions configured, CancellationToken cancellationToken) => OpenOrFindAsync(name, configured, mustBeNew: true, cancellationToken);

    /// <summary>Opens all stores for which a storage was chosen, and those that earlier runs have held and that are configured by their names.</summary>
    public async ValueTask OpenAllAsync(CancellationToken cancellationToken)
    {
        var configured = new Dictionary<string, NamedStoreOptions>(StringComparer.Ordinal);
        foreach (string name in _settings.Names.Union(_held.Names, StringComparer.Ordinal))
        {
            if (_held.IsGivenUp(name) && _settings.Find(name) is not { Settings.IsFollower: true })
                StoreLog.NamedStoreGivenUp(_node.LoggerFactory.CreateLogger<ReplicatedStore>(), _node.Id, name);
            else if (_settings.Find(name) is { } options)
                configured.Add(name, options);
            else if (!IsOpen(name))
                StoreLog.NamedStoreNotConfigured(_node.LoggerFactory.CreateLogger<ReplicatedStore>(), _node.Id, name);
        }
        // Published together: every change of what a node publishes wakes all of its stores.
        _node.PublishNamedStores([.. configured.Where(static store => !store.Value.Settings.IsFollower).Select(static store => store.Key)]);
        var limits = new ParallelOptions { CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(
            configured, limits, async (store, token) => await OpenOrFindAsync(store.Key, store.Value, mustBeNew: false, token).ConfigureAwait(false)).ConfigureAwait(false);
    }

    /// <summary>Closes a store, and tells the other nodes that this node has not opened it at present. Its data is kept.</summary>
    /// <param name="name">The name of the store.</param>
    /// <param name="isForGood">True if the node gives up its data, and no longer counts as a holder.</param>
    /// <returns>False if the store is not open.</returns>
    public async ValueTask<bool> CloseAsync(string name, bool isForGood)
    {
        Task? closing = null;
        lock (_lock)
        {
            if (_entries.TryGetValue(name, out var entry))
                closing = entry.Closing ??= Task.Run(() => CloseAsync(entry, isWithdrawn: true));
        }
        if (closing is not null)
            await closing.ConfigureAwait(false);
        if (isForGood)
            await _held.GiveUpAsync(name).ConfigureAwait(false);
        return closing is not null;
    }

    /// <summary>Releases a store that is open, and closes it for good.</summary>
    /// <exception cref="InvalidOperationException">The store is not open; or <see cref="ReplicatedStore.ReleaseAsync"/> refuses.</exception>
    /// <exception cref="TimeoutException">The store could not leave in time. It remains open.</exception>
    public async ValueTask ReleaseAsync(string name, ReleaseOptions? options, CancellationToken cancellationToken)
    {
        if (Find(name) is not { } entry || ClosingOf(entry) is not null)
            throw new InvalidOperationException($"Node {_node.Id} has not opened the store '{name}', so it cannot release it. Open it first; it has to bring the others what only it has.");
        var store = await entry.Opened.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        await store.ReleaseAsync(options, cancellationToken).ConfigureAwait(false);
        await CloseAsync(name, isForGood: true).ConfigureAwait(false);
    }

    /// <summary>
    /// Closes all stores, because the node stops. The other nodes go on to know it as a holder, which it is again when it has restarted.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        Task[] closing;
        lock (_lock)
        {
            _isClosed = true;
            foreach (var entry in _entries.Values)
                entry.Closing ??= Task.Run(() => CloseAsync(entry, isWithdrawn: false));
            closing = [.. _entries.Values.Select(static entry => entry.Closing!)];
        }
        _node.Server.RemoveService(_service.Name);
        await Task.WhenAll(closing).ConfigureAwait(false);
    }

    async ValueTask<ReplicatedStore> OpenOrFindAsync(string name, NamedStoreOptions? configured, bool mustBeNew, CancellationToken cancellationToken)
    {
        DatacakeNode.CheckStoreName(name);
        while (true)
        {
            if (Find(name) is not { } entry)
            {
                // The application's function is called outside of the lock.
                bool isAsked = configured is not null;
                configured ??= _settings.Find(name) ?? throw new StoreNotHeldException(_node.Id, name, _node.HoldersOf(name));
                // A configuration that was left in place must not open again what was released.
                if (!isAsked && !configured.Settings.IsFollower && _held.IsGivenUp(name))
                    throw new StoreNotHeldException(_node.Id, name, _node.HoldersOf(name), isGivenUp: true);
                lock (_lock)
                {
                    ObjectDisposedException.ThrowIf(_isClosed, _node);
                    if (_entries.ContainsKey(name))
                        continue;
                    // The node counts as a holder from here on, before it asks other nodes whether they are.
                    entry = new Entry(name) { IsFollower = configured.Settings.IsFollower };
                    _entries.Add(name, entry);
                    // The open is not canceled together with its first caller.
                    _ = Task.Run(() => StartAsync(entry, configured), CancellationToken.None);
                }
            }
            else if (ClosingOf(entry) is { } closing)
            {
                await closing.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                cancellationToken.ThrowIfCancellationRequested();
                continue;
            }
            else if (mustBeNew)
            {
                throw new InvalidOperationException($"Node {_node.Id} has opened the store '{name}' already, with another configuration. Close it first, or open it without one.");
            }
            return await entry.Opened.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    async Task StartAsync(Entry entry, NamedStoreOptions options)
    {
        bool isNew = false, wasGivenUp = _held.IsGivenUp(entry.Name);
        try
        {
            options.Settings.Validate();
            if (options.OpenStorage is null)
            {
                throw new InvalidOperationException(
                    $"The store '{entry.Name}' of node {_node.Id} has no storage. Choose one: WithStore(\"{entry.Name}\", store => store.UseSqlite(…)), or UseLmdb, UsePostgreSql or UseMemory.");
            }
            if (!entry.IsFollower)
            {
                isNew = await _held.AddAsync(entry.Name).ConfigureAwait(false);
                _node.PublishNamedStores(entry.Name);
            }
            entry.Storage = options.OpenStorage();
            entry.Opened.SetResult(await ReplicatedStore.OpenAsync(new StoreHost(_node, entry.Name), entry.Storage, options.Settings, CancellationToken.None).ConfigureAwait(false));
        }
        catch (Exception e)
        {
            // Undone before another caller can open the store again.
            await UndoAsync(() => entry.Storage?.DisposeAsync() ?? default).ConfigureAwait(false);
            await UndoAsync(() =>
            {
                _node.WithdrawNamedStore(entry.Name);
                return !isNew ? default : wasGivenUp ? _held.GiveUpAsync(entry.Name) : _held.RemoveAsync(entry.Name);
            }).ConfigureAwait(false);
            lock (_lock)
                _entries.Remove(entry.Name);
            entry.Opened.SetException(e);
            _ = entry.Opened.Task.Exception;        // marks it as observed, because the caller may have gone
        }

        static async ValueTask UndoAsync(Func<ValueTask> undo)
        {
            try
            {
                await undo().ConfigureAwait(false);
            }
            catch (Exception)
            {
                // The error of the open is the one that matters.
            }
        }
    }

    async Task CloseAsync(Entry entry, bool isWithdrawn)
    {
        ReplicatedStore store;
        try
        {
            store = await entry.Opened.Task.ConfigureAwait(false);
        }
        catch (Exception)
        {
            return;     // it was never open
        }
        try
        {
            await store.DisposeAsync().ConfigureAwait(false);
        }
        finally
        {
            try
            {
                if (isWithdrawn && !entry.IsFollower)
                    _node.WithdrawNamedStore(entry.Name);
                await entry.Storage!.DisposeAsync().ConfigureAwait(false);
            }
            finally
            {
                // An error must not keep the store from being opened again.
                lock (_lock)
                    _entries.Remove(entry.Name);
            }
        }
    }

    /// <summary>Returns true if the node holds a store: it has data of it, is opening it, or is configured to open it.</summary>
    bool Holds(string name) => Find(name) is { IsFollower: false } || _held.Contains(name) || (_settings.Has(name) && !_held.IsGivenUp(name));

    bool IsOpen(string name) => Find(name) is { } entry && ClosingOf(entry) is null;

    Entry? Find(string name)
    {
        lock (_lock)
            return _entries.GetValueOrDefault(name);
    }

    Task? ClosingOf(Entry entry)
    {
        lock (_lock)
            return entry.Closing;
    }
}
