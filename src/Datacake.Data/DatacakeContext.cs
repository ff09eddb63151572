using System.ComponentModel;
using Datacake.Crdt;
using Datacake.Data.Metadata;
using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Data;

/// <summary>
/// A session with the replicated store of a node: queries entities, tracks them, and saves their changes as one transaction. Derive a
/// partial class from it with a <c>public partial Keyspace&lt;Product&gt; Products { get; }</c> for each entity class.
/// </summary>
/// <remarks>
/// A context is light and lives for one unit of work. It is not thread-safe: it serves one operation at a time, and a second one that
/// starts before is refused. From its creation on the node takes part in replication.
/// </remarks>
public abstract partial class DatacakeContext : IAsyncDisposable, IDisposable
{
    readonly Task<ReplicatedStore> _opening;
    static readonly List<DatacakeInterceptor> NoInterceptors = [];

    List<DatacakeInterceptor>? _interceptors;
    IReadOnlyList<KeyspaceModel>? _keyspaces;
    ReplicatedStore? _store;
    bool _isBeforeSave;
    bool _isDisposed;

    /// <summary>Creates a context on a running node, which must have been given a storage.</summary>
    protected DatacakeContext(DatacakeNode node)
    {
        ArgumentNullException.ThrowIfNull(node);
        Node = node;
        ChangeTracker = new ChangeTracker(this);
        _opening = OpenAsync(node);

        // An exception belongs to the first operation, so this does not throw by itself.
        static async Task<ReplicatedStore> OpenAsync(DatacakeNode node) => await node.OpenStoreAsync().ConfigureAwait(false);
    }

    /// <summary>The node that the context works on.</summary>
    public DatacakeNode Node { get; }

    /// <summary>The entities that the context knows.</summary>
    public ChangeTracker ChangeTracker { get; }

    /// <summary>The level of a save that names none. Default: <see cref="Consistency.Quorum"/>.</summary>
    public Consistency DefaultConsistency { get; set; } = Consistency.Quorum;

    /// <summary>
    /// A query that reads more documents than this, and more than twice as many as it finds, logs a warning that names the index that would
    /// help, once for each. Default: 10,000.
    /// </summary>
    public long ScanWarningThreshold { get; set; } = 10_000;

    /// <summary>Gets what takes part in the saves and queries of the context, in the order in which it is called.</summary>
    public IList<DatacakeInterceptor> Interceptors => _interceptors ??= [];

    /// <summary>The keyspaces of the context.</summary>
    public IReadOnlyList<KeyspaceModel> Keyspaces
    {
        get
        {
            if (_keyspaces is null)
            {
                var builder = new ContextModelBuilder();
                DescribeModel(builder);
                _keyspaces = builder.Build();
            }
            return _keyspaces;
        }
    }

    /// <summary>
    /// A save begins: handlers may still change, add and remove entities. What one throws fails the save, before anything is written. Handlers are not awaited: an asynchronous
    /// one is an interceptor, see <see cref="Interceptors"/>.
    /// </summary>
    public event EventHandler<SavingChangesEventArgs>? SavingChanges;

    /// <summary>A save has succeeded; its changes are accepted.</summary>
    public event EventHandler<SavedChangesEventArgs>? SavedChanges;

    /// <summary>A save has failed.</summary>
    public event EventHandler<SaveChangesFailedEventArgs>? SaveChangesFailed;

    /// <summary>
    /// Saves all changes at the level <see cref="DefaultConsistency"/>; see <see cref="SaveChangesAsync(Consistency, CancellationToken)"/>.
    /// </summary>
    public Task<SaveResult> SaveChangesAsync(CancellationToken cancellationToken = default) =>
        SaveChangesAsync(DefaultConsistency, cancellationToken);

    /// <summary>Is <see cref="SaveChangesAsync(CancellationToken)"/> here.</summary>
    [Obsolete("A save waits for other nodes, which may take seconds: await SaveChangesAsync().", error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public int SaveChanges() => throw new NotSupportedException("Await SaveChangesAsync().");

    /// <summary>
    /// Writes all changes as one transaction, which is atomic on every node, and waits until as many nodes have it as the level asks for.
    /// Of modified entities only the changed components are written.
    /// </summary>
    /// <exception cref="EntityValidationException">Entities break the rules of their classes. Nothing was written.</exception>
    /// <exception cref="EntityConflictException">
    /// A modified entity was deleted meanwhile; a <c>[ConcurrencyCheck]</c> property of an entity has another value in the local store than was read; or the key of an added entity is
    /// stored already. Nothing was written.
    /// </exception>
    /// <exception cref="SaveLimitException">An entity is too large, or all that the save writes together. Nothing was written.</exception>
    /// <exception cref="NotEnoughNodesException">The members that are up cannot satisfy the level. Nothing was written.</exception>
    /// <exception cref="ConsistencyException">
    /// The level was not satisfied in time. The write stays and goes on replicating, so the changes count as saved.
    /// </exception>
    /// <exception cref="CommitCanceledException">
    /// The wait for acknowledgements was canceled. The write stays and goes on replicating, so the changes count as saved.
    /// </exception>
    /// <remarks>
    /// After any other exception the tracked entities are as they were before, and a further save tries again. To do something with each save, override this method; the one
    /// without a level calls it.
    /// </remarks>
    public virtual async Task<SaveResult> SaveChangesAsync(Consistency consistency, CancellationToken cancellationToken = default)
    {
        Concurrency.ThrowIfBusy();
        // What is deleted with others is to be seen before the save.
        List<Action>? undo = SavingChanges is not null || HasInterceptors ? [] : null;
        SaveResult result;
        try
        {
            if (undo is not null)
                ChangeTracker.CascadeChanges(undo);
            await RaiseSavingChangesAsync(consistency, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            Undo(undo);
            throw;
        }
        try
        {
            result = await SaveAsync(consistency, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            if (e is not (ConsistencyException or CommitCanceledException))
                Undo(undo);
            var failure = new SaveChangesFailedEventArgs(e);
            SaveChangesFailed?.Invoke(this, failure);
            foreach (var interceptor in _interceptors ?? NoInterceptors)
                await interceptor.SaveChangesFailedAsync(this, failure).ConfigureAwait(false);
            throw;
        }
        var saved = new SavedChangesEventArgs(result);
        SavedChanges?.Invoke(this, saved);
        foreach (var interceptor in _interceptors ?? NoInterceptors)
            await interceptor.SavedChangesAsync(this, saved, cancellationToken).ConfigureAwait(false);
        return result;
    }

    /// <summary>Waits until this node has the transaction of a save on another one: what is read afterwards reflects it.</summary>
    public async Task WaitForAsync(SessionToken token, CancellationToken cancellationToken = default)
    {
        using var operation = Concurrency.Enter();
        var store = await GetStoreAsync(cancellationToken).ConfigureAwait(false);
        await store.WaitForAsync(token, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The keyspace of an entity class, as the context's property has it: for code that is generic in the class.</summary>
    /// <exception cref="InvalidOperationException">The context has no keyspace of this class.</exception>
    public Keyspace<T> Set<T>()
        where T : class
    {
        var (keyspace, model) = KeyspaceOf<T>();
        return new(this, keyspace, model);
    }

    /// <summary>Ends the unit of work: what is not saved is lost, and later operations are refused. The node and its store stay.</summary>
    public async ValueTask DisposeAsync()
    {
        _isDisposed = true;
        GC.SuppressFinalize(this);
        // Its failure was, or would have been, that of each operation.
        await ((Task)_opening).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>The same, for where nothing can be awaited, as at the end of a synchronous scope: what is left to wait for is the node's own.</summary>
    public void Dispose()
    {
        GC.SuppressFinalize(this);
        _ = DisposeAsync().AsTask();
    }

    /// <summary>
    /// Describes the model beside, or in place of, attributes. The source generator reads it while the context is compiled, and it is never
    /// called; see <see cref="ModelBuilder"/>.
    /// </summary>
    protected virtual void OnModelCreating(ModelBuilder model)
    {
    }

    /// <summary>
    /// Describes all properties of a type at once. The source generator reads it while the context is compiled, and it is never called; see
    /// <see cref="ModelConfigurationBuilder"/>.
    /// </summary>
    protected virtual void ConfigureConventions(ModelConfigurationBuilder conventions)
    {
    }

    /// <summary>Names the keyspaces. The source generator overrides it.</summary>
    [EditorBrowsable(EditorBrowsableState.Never)]
    protected virtual void DescribeModel(ContextModelBuilder model)
    {
    }

    /// <summary>Gives the query filters. The source generator overrides it.</summary>
    [EditorBrowsable(EditorBrowsableState.Never)]
    protected virtual void DescribeFilters(QueryFilterBuilder filters)
    {
    }

    /// <summary>Gives the entities that a new cluster begins with. The source generator overrides it.</summary>
    [EditorBrowsable(EditorBrowsableState.Never)]
    protected virtual void DescribeSeeds(SeedBuilder seeds)
    {
    }

    /// <summary>Creates the keyspace of an entity class. For generated code.</summary>
    [EditorBrowsable(EditorBrowsableState.Never)]
    protected Keyspace<T> CreateKeyspace<T>(EntityModel<T> model)
        where T : class => new(this, KeyspaceOf(typeof(T)), model);

    internal KeyGenerator KeyGenerator => field ??= new KeyGenerator(Node.Clock);

    internal ConcurrencyDetector Concurrency { get; } = new();

    internal bool HasInterceptors => _interceptors is { Count: > 0 };

    /// <summary>Gets the conditions that are part of every query.</summary>
    internal QueryFilterBuilder QueryFilters
    {
        get
        {
            if (field is null)
            {
                var filters = new QueryFilterBuilder();
                DescribeFilters(filters);
                filters.Check(this);
                field = filters;
            }
            return field;
        }
    }

    /// <summary>The store, opened and knowing the context's keyspaces.</summary>
    internal async ValueTask<ReplicatedStore> GetStoreAsync(CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (_store is not null)
            return _store;
        var store = await _opening.WaitAsync(cancellationToken).ConfigureAwait(false);
        var declared = DeclaredContexts.Of(store);
        await declared.DeclareAsync(store, GetType(), Keyspaces, cancellationToken).ConfigureAwait(false);
        if (!declared.IsSeeded(GetType()))
        {
            var seeds = new SeedBuilder();
            DescribeSeeds(seeds);
            if (!await Seeding.SeedAsync(store, Keyspaces, seeds.Entities, cancellationToken).ConfigureAwait(false))
                return store;
            declared.MarkSeeded(GetType());
        }
        return _store = store;
    }

    internal async Task ReloadAsync(EntityEntry entry, CancellationToken cancellationToken)
    {
        using var operation = Concurrency.Enter();
        var (key, document) = await GetDocumentAsync(entry, cancellationToken).ConfigureAwait(false);
        if (document is null)
            ChangeTracker.Accept(entry, content: null);
        else
            entry.TakeStored(key, document);
    }

    /// <summary>Reads the entity that the store has under the key of an entity; returns null if it has none.</summary>
    internal async Task<object?> ReadStoredAsync(EntityEntry entry, CancellationToken cancellationToken)
    {
        using var operation = Concurrency.Enter();
        var (key, document) = await GetDocumentAsync(entry, cancellationToken).ConfigureAwait(false);
        return document is null ? null : entry.Keyspace.Entity.ReadEntity(key, document);
    }

    async Task<(DocumentKey Key, Document? Document)> GetDocumentAsync(EntityEntry entry, CancellationToken cancellationToken)
    {
        var store = await GetStoreAsync(cancellationToken).ConfigureAwait(false);
        var key = entry.CurrentState == EntityState.Detached ? entry.Keyspace.Entity.KeyOf(entry.Entity) : entry.Key;
        using var snapshot = await store.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        return (key, await snapshot.GetAsync(entry.Keyspace.Name, key, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>The keyspace of an entity class, with its typed model.</summary>
    internal (KeyspaceModel Keyspace, EntityModel<T> Model) KeyspaceOf<T>()
        where T : class
    {
        var keyspace = KeyspaceOf(typeof(T));
        return keyspace.Entity is EntityModel<T> model
            ? (keyspace, model)
            : throw new InvalidOperationException(
                $"{typeof(T).Name} is stored among the entities of {keyspace.Entity.Name}, and has no keyspace of its own: write Set<{keyspace.Entity.Name}>().OfType<{typeof(T).Name}>().");
    }

    async ValueTask RaiseSavingChangesAsync(Consistency consistency, CancellationToken cancellationToken)
    {
        if (_isBeforeSave)
        {
            throw new InvalidOperationException(
                "A handler of SavingChanges saves, or an interceptor before a save. It need not: what it changes, adds and removes is part of the save that is about to begin.");
        }
        _isBeforeSave = true;
        try
        {
            var saving = new SavingChangesEventArgs(consistency);
            SavingChanges?.Invoke(this, saving);
            foreach (var interceptor in _interceptors ?? NoInterceptors)
                await interceptor.SavingChangesAsync(this, saving, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _isBeforeSave = false;
        }
    }

    async Task<SaveResult> SaveAsync(Consistency consistency, CancellationToken cancellationToken)
    {
        using var operation = Concurrency.Enter();
        var store = await GetStoreAsync(cancellationToken).ConfigureAwait(false);
        var before = HasRelations ? ChangeTracker.Capture() : null;
        var undo = new List<Action>();
        IReadOnlyList<PendingWrite> writes = [];
        CommitResult result;
        try
        {
            await FollowRelationsAsync(store, undo, cancellationToken).ConfigureAwait(false);
            writes = ChangeTracker.CollectWrites();
            EntityTransaction.Validate(writes);
            writes = await EntityTransaction.CompleteAsync(store, writes, cancellationToken).ConfigureAwait(false);
            if (writes.Count == 0)
            {
                Accept(writes);
                return new SaveResult(0, default, NodeSet.Of(Node.Id));
            }
            result = await EntityTransaction.CommitAsync(store, writes, consistency, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is ConsistencyException or CommitCanceledException)
        {
            // It is committed here. Were the changes still pending, the next save would add to counters once more.
            Accept(writes);
            throw;
        }
        catch when (before is not null)
        {
            Undo(undo);
            ChangeTracker.Restore(before);
            throw;
        }
        Accept(writes);
        return new SaveResult(writes.Count, result.Stamp, result.Acknowledged);
    }

    static void Undo(List<Action>? steps)
    {
        foreach (var step in steps ?? [])
            step();
    }

    KeyspaceModel KeyspaceOf(Type type) => FindKeyspace(type) ?? throw new InvalidOperationException(
        $"No keyspace of {GetType().Name} has entities of class {type.Name}. "
        + $"Add: public partial Keyspace<{type.Name}> {type.Name}s {{ get; }}");

    KeyspaceModel? FindKeyspace(Type type)
    {
        foreach (var keyspace in Keyspaces)
        {
            if (keyspace.Entity.Type == type || keyspace.Entity.Has(type))
                return keyspace;
        }
        return null;
    }
}
