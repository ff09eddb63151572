using System.ComponentModel;
using Datacake.Crdt;
using Datacake.Data.ChangeTracking;
using Datacake.Data.CodeGeneration;
using Datacake.Data.Diagnostics;
using Datacake.Data.Metadata;
using Datacake.Data.Querying;
using Datacake.Data.Saving;
using Datacake.Data.Seeds;
using Datacake.EventualConsistency;
using Datacake.Node;
using Microsoft.Extensions.Logging;

namespace Datacake.Data;

/// <summary>
/// A session with the replicated store of a node. It queries entities, tracks them, and saves their changes as one transaction. Derive a
/// partial class from it, with a property such as <c>public partial Keyspace&lt;Product&gt; Products { get; }</c> for each entity class.
/// </summary>
/// <remarks>
/// A context is lightweight and lives for one unit of work. It is not thread-safe: it runs one operation at a time, and throws if a
/// second one starts before the first completes. The node takes part in replication once a context has been created for it.
/// </remarks>
public abstract partial class DatacakeContext : IAsyncDisposable, IDisposable
{
    readonly Task<ReplicatedStore> _opening;
    static readonly List<DatacakeInterceptor> NoInterceptors = [];

    List<DatacakeInterceptor>? _interceptors;
    ContextModel? _model;
    ReplicatedStore? _store;
    bool _isBeforeSave;
    bool _isDisposed;

    /// <summary>Creates a context on the own store of a running node, which must have a storage.</summary>
    protected DatacakeContext(DatacakeNode node)
        : this(node, "")
    {
    }

    /// <summary>
    /// Creates a context on a named store of a running node. The first operation throws a <see cref="StoreNotHeldException"/> if the node does not
    /// hold the store. A save is atomic within the store.
    /// </summary>
    /// <param name="node">The node.</param>
    /// <param name="store">The name of the store; an empty text for the node's own store.</param>
    protected DatacakeContext(DatacakeNode node, string store)
    {
        ArgumentNullException.ThrowIfNull(node);
        ArgumentNullException.ThrowIfNull(store);
        Node = node;
        StoreName = store;
        var options = node.SettingsOf<DatacakeContextOptions>();
        DefaultConsistency = options.DefaultConsistency;
        ScanWarningThreshold = options.ScanWarningThreshold;
        ChangeTracker = new ChangeTracker(this);
        _opening = OpenAsync(node, store);

        // The first operation reports a failure, so the call itself must not throw.
        static async Task<ReplicatedStore> OpenAsync(DatacakeNode node, string store) =>
            store.Length > 0 ? await node.OpenStoreAsync(store).ConfigureAwait(false) : await node.OpenStoreAsync().ConfigureAwait(false);
    }

    /// <summary>Gets the node of the context.</summary>
    public DatacakeNode Node { get; }

    /// <summary>Gets the name of the store that the context works with; an empty text for the node's own store.</summary>
    public string StoreName { get; }

    /// <summary>Gets the change tracker, which holds the entities that the context knows.</summary>
    public ChangeTracker ChangeTracker { get; }

    /// <summary>
    /// Gets or sets the consistency level of saves that do not specify one. Default: that of the node's
    /// <see cref="DatacakeContextOptions"/>, which is <see cref="Consistency.Quorum"/> unless it was changed.
    /// </summary>
    public Consistency DefaultConsistency { get; set; }

    /// <summary>
    /// Gets or sets the number of documents above which a query counts as a scan. A query that reads more documents than this, and at least
    /// twice as many as it returns, logs a warning that names the index that would help. Each warning is logged once. Default: that of the
    /// node's <see cref="DatacakeContextOptions"/>, which is 10,000 unless it was changed.
    /// </summary>
    public long ScanWarningThreshold { get; set; }

    /// <summary>Gets the interceptors of the context's saves and queries, in the order in which they are called.</summary>
    public IList<DatacakeInterceptor> Interceptors => _interceptors ??= [];

    /// <summary>Gets the keyspaces of the context.</summary>
    public IReadOnlyList<KeyspaceModel> Keyspaces => Model.Keyspaces;

    /// <summary>
    /// Occurs when a save begins. Handlers may still change, add and remove entities. An exception fails the save before anything is
    /// written. Handlers are not awaited; for asynchronous work, use an interceptor (see <see cref="Interceptors"/>).
    /// </summary>
    public event EventHandler<SavingChangesEventArgs>? SavingChanges;

    /// <summary>Occurs when a save has succeeded and its changes are accepted.</summary>
    public event EventHandler<SavedChangesEventArgs>? SavedChanges;

    /// <summary>Occurs when a save has failed.</summary>
    public event EventHandler<SaveChangesFailedEventArgs>? SaveChangesFailed;

    /// <summary>
    /// Saves all changes at the <see cref="DefaultConsistency"/> level; see <see cref="SaveChangesAsync(Consistency, CancellationToken)"/>.
    /// </summary>
    public Task<SaveResult> SaveChangesAsync(CancellationToken cancellationToken = default) =>
        SaveChangesAsync(DefaultConsistency, cancellationToken);

    /// <summary>Not supported. Use <see cref="SaveChangesAsync(CancellationToken)"/>.</summary>
    [Obsolete("A save waits for other nodes, which may take seconds. Await SaveChangesAsync().", error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public int SaveChanges() => throw new NotSupportedException("Saves are asynchronous. Await SaveChangesAsync().");

    /// <summary>
    /// Saves all changes as one transaction, which is atomic on every node, and waits until as many nodes have it as the level requires.
    /// For modified entities, only the changes are written.
    /// </summary>
    /// <exception cref="EntityValidationException">Entities violate the rules of their classes. Nothing was written.</exception>
    /// <exception cref="EntityConflictException">
    /// A modified entity was deleted in the meantime; a <c>[ConcurrencyCheck]</c> property has a different value in the local store than
    /// was read; or the key of an added entity is already stored. Nothing was written.
    /// </exception>
    /// <exception cref="SaveLimitException">An entity, or the save as a whole, is too large. Nothing was written.</exception>
    /// <exception cref="NotEnoughNodesException">Too few members are up to satisfy the level. Nothing was written.</exception>
    /// <exception cref="ConsistencyException">
    /// The level was not satisfied in time. The write is kept and continues to replicate, so the changes count as saved.
    /// </exception>
    /// <exception cref="CommitCanceledException">
    /// The wait for acknowledgments was canceled. The write is kept and continues to replicate, so the changes count as saved.
    /// </exception>
    /// <exception cref="ReadConflictException">
    /// Something that was read since <see cref="BeginSerialAsync"/> has changed. Nothing was written.
    /// </exception>
    /// <exception cref="UniqueConstraintException">
    /// Another entity of a serial class has the values of an entity in a unique index. Nothing was written.
    /// </exception>
    /// <exception cref="OutcomeUnknownException">
    /// A serial save was sent, and its outcome was not learned in time. <see cref="ResolveSaveAsync"/>, or the next save, learns it.
    /// </exception>
    /// <remarks>
    /// After any other exception, the tracked entities are as they were before the save, so the save can be retried. To run code at every
    /// save, override this method. The overload without a level calls it. If an entity is of a serial class, the save goes through the
    /// sequencer, whatever the level; see <see cref="SerialAttribute"/>. So it does at the level <see cref="Consistency.Serial"/>.
    /// </remarks>
    public virtual async Task<SaveResult> SaveChangesAsync(Consistency consistency, CancellationToken cancellationToken = default)
    {
        Concurrency.ThrowIfBusy();
        // Handlers and interceptors must see the entities that are deleted by cascade.
        List<Action>? undo = SavingChanges is not null || HasInterceptors ? [] : null;
        SaveResult result;
        try
        {
            // Handlers and interceptors must see what the last save has left, and cascades depend on it.
            if (undo is not null && _unresolved is not null)
            {
                using var operation = Concurrency.Enter();
                await ResolveBeforeSaveAsync(cancellationToken).ConfigureAwait(false);
            }
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
            if (e is not (ConsistencyException or CommitCanceledException or OutcomeUnknownException))
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

    /// <summary>Waits until this node has the transaction of a save on another node, so that later reads reflect it.</summary>
    public async Task WaitForAsync(SessionToken token, CancellationToken cancellationToken = default)
    {
        using var operation = Concurrency.Enter();
        var store = await GetStoreAsync(cancellationToken).ConfigureAwait(false);
        await store.WaitForAsync(token, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Returns the keyspace of an entity class, like the context's property for it. For code that is generic in the class.
    /// </summary>
    /// <exception cref="InvalidOperationException">The context has no keyspace for this class.</exception>
    public Keyspace<T> Set<T>()
        where T : class
    {
        var (keyspace, model) = Model.KeyspaceOf<T>();
        return new(this, keyspace, model);
    }

    /// <summary>Ends the unit of work. Unsaved changes are lost, and later operations throw. The node and its store stay open.</summary>
    public async ValueTask DisposeAsync()
    {
        _isDisposed = true;
        GC.SuppressFinalize(this);
        // If the store failed to open, every operation reports it, so it is not reported here.
        await ((Task)_opening).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>
    /// Ends the unit of work as <see cref="DisposeAsync"/> does, but without waiting for the node to finish opening its store. For code
    /// that cannot await, such as the end of a synchronous scope.
    /// </summary>
    public void Dispose()
    {
        GC.SuppressFinalize(this);
        _ = DisposeAsync().AsTask();
    }

    /// <summary>
    /// Describes the model, in addition to attributes or instead of them. The source generator reads this method at compile time, and it is
    /// never called; see <see cref="ModelBuilder"/>.
    /// </summary>
    protected virtual void OnModelCreating(ModelBuilder model)
    {
    }

    /// <summary>
    /// Describes all properties of a type at once. The source generator reads this method at compile time, and it is never called; see
    /// <see cref="ModelConfigurationBuilder"/>.
    /// </summary>
    protected virtual void ConfigureConventions(ModelConfigurationBuilder conventions)
    {
    }

    /// <summary>Adds the keyspaces to the model. The source generator overrides this method.</summary>
    [EditorBrowsable(EditorBrowsableState.Never)]
    protected virtual void DescribeModel(ContextModelBuilder model)
    {
    }

    /// <summary>Adds the query filters. The source generator overrides this method.</summary>
    [EditorBrowsable(EditorBrowsableState.Never)]
    protected virtual void DescribeFilters(QueryFilterBuilder filters)
    {
    }

    /// <summary>Adds the entities that a new cluster starts with. The source generator overrides this method.</summary>
    [EditorBrowsable(EditorBrowsableState.Never)]
    protected virtual void DescribeSeeds(SeedBuilder seeds)
    {
    }

    /// <summary>Creates the keyspace of an entity class. For generated code.</summary>
    [EditorBrowsable(EditorBrowsableState.Never)]
    protected Keyspace<T> CreateKeyspace<T>(EntityModel<T> model)
        where T : class => new(this, Model.KeyspaceOf(typeof(T)), model);

    ContextModel Model
    {
        get
        {
            if (_model is null)
            {
                var builder = new ContextModelBuilder();
                DescribeModel(builder);
                _model = builder.Build(GetType());
            }
            return _model;
        }
    }

    internal ConcurrencyDetector Concurrency { get; } = new();

    internal bool HasInterceptors => _interceptors is { Count: > 0 };

    /// <summary>True if queries have to be reported, because there are interceptors, observers, listeners of metrics or spans, or a log of queries.</summary>
    internal bool ObservesQueries => ReportsQueries || DataTelemetry.IsMeasuringQueries || DataTelemetry.Source.HasListeners();

    /// <summary>True if interceptors, observers of the node or the log are told of each query.</summary>
    internal bool ReportsQueries => HasInterceptors || !QueryObservers.IsEmpty || Logger.IsEnabled(LogLevel.Debug);

    /// <summary>Gets the observers of the queries of all contexts on the node.</summary>
    internal QueryObservers QueryObservers => field ??= QueryObservers.Of(Node);

    internal ILogger Logger => field ??= DataLog.Of(Node);

    /// <summary>Gets the filters that apply to every query.</summary>
    internal QueryFilterBuilder QueryFilters
    {
        get
        {
            if (field is null)
            {
                var filters = new QueryFilterBuilder();
                DescribeFilters(filters);
                filters.Check(Model);
                field = filters;
            }
            return field;
        }
    }

    /// <summary>Returns the store once it is open and the context's keyspaces are declared.</summary>
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

    async ValueTask RaiseSavingChangesAsync(Consistency consistency, CancellationToken cancellationToken)
    {
        if (_isBeforeSave)
        {
            throw new InvalidOperationException(
                "SaveChangesAsync was called by a handler of SavingChanges, or by an interceptor before a save. Remove the call: entities that the "
                    + "handler changes, adds or removes are part of the save in progress.");
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
        var observation = SaveObservation.Begin(GetType(), consistency, Logger);
        try
        {
            return await SaveAsync(consistency, observation, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            observation.Fail(e);
            throw;
        }
    }

    async Task<SaveResult> SaveAsync(Consistency consistency, SaveObservation observation, CancellationToken cancellationToken)
    {
        var store = await GetStoreAsync(cancellationToken).ConfigureAwait(false);
        if (_unresolved is not null)
            await ResolveBeforeSaveAsync(cancellationToken).ConfigureAwait(false);
        var before = Model.HasRelations ? ChangeTracker.Capture() : null;
        var undo = new List<Action>();
        IReadOnlyList<PendingWrite> writes = [];
        CommitResult result;
        try
        {
            await FollowRelationsAsync(store, undo, cancellationToken).ConfigureAwait(false);
            writes = ChangeTracker.CollectWrites();
            EntityTransaction.Validate(writes);
            writes = await EntityTransaction.CompleteAsync(store, writes, cancellationToken).ConfigureAwait(false);
            if (_work is { IsSaved: true } && writes.Count > 0)
            {
                throw new InvalidOperationException(
                    "The serial unit of work was saved already, and one save ends it. What was saved before is stored; the changes since were not saved. In RunSerialAsync, leave the "
                        + "save to it. Otherwise, dispose the work before you save other changes, or begin another one for these.");
            }
            // A serial unit of work that changes nothing still checks what it has read.
            var assumed = Reads is null ? [] : ChangeTracker.AssumedSerial();
            if (writes.Count == 0 && assumed.Count == 0 && Reads is not { IsEmpty: false })
            {
                Accept(writes, []);
                observation.Succeed([], default);
                return new SaveResult(0, default, NodeSet.Of(Node.Id));
            }
            result = IsSerialSave(writes, consistency)
                ? await SerialSave.CommitAsync(store, writes, Reads, assumed, sent => writes = sent, cancellationToken).ConfigureAwait(false)
                : await EntityTransaction.CommitAsync(store, writes, consistency, cancellationToken).ConfigureAwait(false);
        }
        catch (OutcomeUnknownException e)
        {
            // The entities keep their states, and the deletes and foreign keys of the save, until its outcome is known.
            _unresolved = new UnresolvedSave(e, writes);
            ChangeTracker.MarkSent(writes);
            _unresolvedWork = _work;
            throw;
        }
        catch (Exception e) when (e is ConsistencyException or CommitCanceledException)
        {
            // The write is committed locally. If the changes stayed pending, the next save would add to counters again.
            Accept(writes, (e as CommitCanceledException)?.Numbers ?? []);
            MarkSaved(_work);
            throw;
        }
        catch when (before is not null)
        {
            Undo(undo);
            ChangeTracker.Restore(before);
            // Whoever handles the exception sees that the entities were changed, as after a save without relations.
            foreach (var write in writes)
                ChangeTracker.Refresh(write.Entry);
            throw;
        }
        Accept(writes, result.Numbers);
        MarkSaved(_work);
        observation.Succeed(writes, result.Acknowledged);
        return new SaveResult(writes.Count, result.Stamp, result.Acknowledged);
    }

    static void Undo(List<Action>? steps)
    {
        foreach (var step in steps ?? [])
            step();
    }
}
