using Datacake.EventualConsistency.Hosts;
using Datacake.EventualConsistency.Joining;
using Datacake.EventualConsistency.Options;
using Datacake.Node;
using Datacake.Storage;

namespace Datacake.EventualConsistency;

/// <summary>
/// The named stores of a node, which are opened and closed while the node runs. Each is independent of the others, and of the node's own
/// store. Thread-safe.
/// </summary>
sealed class NamedStores : IAsyncDisposable
{
    readonly DatacakeNode _node;
    readonly NamedStoreSettings _settings;
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

        /// <summary>Gets or sets the task that closes the store; null while nobody has asked for that.</summary>
        public Task? Closing { get; set; }
    }

    public NamedStores(DatacakeNode node, NamedStoreSettings settings)
    {
        _node = node;
        _settings = settings;
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
    public ValueTask<ReplicatedStore> OpenAsync(string name, CancellationToken cancellationToken) => OpenOrFindAsync(name, configured: null, cancellationToken);

    /// <summary>Opens a store that is not open.</summary>
    /// <exception cref="InvalidOperationException">The store is open or is being opened.</exception>
    public ValueTask<ReplicatedStore> OpenAsync(string name, NamedStoreOptions configured, CancellationToken cancellationToken) => OpenOrFindAsync(name, configured, cancellationToken);

    /// <summary>Opens all stores that the node has a configuration of.</summary>
    public async ValueTask OpenAllAsync(CancellationToken cancellationToken)
    {
        // Published together: every change of what a node publishes wakes all of its stores.
        _node.PublishNamedStores(_settings.Names);
        var limits = new ParallelOptions { CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(_settings.Names, limits, async (name, token) => await OpenAsync(name, token).ConfigureAwait(false)).ConfigureAwait(false);
    }

    /// <summary>Closes a store, and tells the other nodes that this node does not hold it at present. Its data is kept.</summary>
    /// <returns>False if the store is not open.</returns>
    public async ValueTask<bool> CloseAsync(string name)
    {
        Entry? entry;
        Task closing;
        lock (_lock)
        {
            if (!_entries.TryGetValue(name, out entry))
                return false;
            closing = entry.Closing ??= Task.Run(() => CloseAsync(entry, isWithdrawn: true));
        }
        await closing.ConfigureAwait(false);
        return true;
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

    async ValueTask<ReplicatedStore> OpenOrFindAsync(string name, NamedStoreOptions? configured, CancellationToken cancellationToken)
    {
        DatacakeNode.CheckStoreName(name);
        while (true)
        {
            Entry? entry;
            bool isNew = false;
            lock (_lock)
            {
                ObjectDisposedException.ThrowIf(_isClosed, _node);
                if (!_entries.TryGetValue(name, out entry))
                {
                    // The node counts as a holder from here on, before it asks other nodes whether they are.
                    var options = configured ?? _settings.Find(name) ?? throw new StoreNotHeldException(_node.Id, name, _node.HoldersOf(name));
                    entry = new Entry(name);
                    _entries.Add(name, entry);
                    isNew = true;
                    // The open is not canceled together with its first caller.
                    _ = Task.Run(() => StartAsync(entry, options), CancellationToken.None);
                }
            }
            if (entry.Closing is { } closing)
            {
                await closing.WaitAsync(cancellationToken).ConfigureAwait(false);
                continue;
            }
            if (configured is not null && !isNew)
                throw new InvalidOperationException($"Node {_node.Id} has opened the store '{name}' already, with another configuration. Close it first, or open it without one.");
            return await entry.Opened.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    async Task StartAsync(Entry entry, NamedStoreOptions options)
    {
        try
        {
            options.Settings.Validate();
            if (options.OpenStorage is null)
            {
                throw new InvalidOperationException(
                    $"The store '{entry.Name}' of node {_node.Id} has no storage. Choose one: WithStore(\"{entry.Name}\", store => store.UseSqlite(…)), or UseLmdb, UsePostgreSql or UseMemory.");
            }
            _node.PublishNamedStores(entry.Name);
            entry.Storage = options.OpenStorage();
            entry.Opened.SetResult(await ReplicatedStore.OpenAsync(new StoreHost(_node, entry.Name), entry.Storage, options.Settings, CancellationToken.None).ConfigureAwait(false));
        }
        catch (Exception e)
        {
            lock (_lock)
                _entries.Remove(entry.Name);
            if (entry.Storage is not null)
                await entry.Storage.DisposeAsync().ConfigureAwait(false);
            _node.WithdrawNamedStore(entry.Name);
            entry.Opened.SetException(e);
            _ = entry.Opened.Task.Exception;        // marks it as observed, because the caller may have gone
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
        await store.DisposeAsync().ConfigureAwait(false);
        if (isWithdrawn)
            _node.WithdrawNamedStore(entry.Name);
        await entry.Storage!.DisposeAsync().ConfigureAwait(false);
        lock (_lock)
            _entries.Remove(entry.Name);
    }

    bool Holds(string name)
    {
        lock (_lock)
            return _entries.ContainsKey(name);
    }
}
