using System.Diagnostics.CodeAnalysis;
using Datacake.Crdt;
using Datacake.Data.Metadata;
using Datacake.Data.Querying;
using Datacake.EventualConsistency;

namespace Datacake.Data;

/// <summary>
/// The entities that a context knows, one instance for each key, and what became of them. Not thread-safe, as the context.
/// </summary>
public sealed partial class ChangeTracker
{
    const int FirstWrites = 16;

    readonly TrackedEntries _entries = new();

    internal ChangeTracker(DatacakeContext context) => Context = context;

    internal DatacakeContext Context { get; }

    internal RelationFixer Relations => field ??= new(this);

    internal GraphTracking Graph => field ??= new(this);

    /// <summary>All entries, which must not be added or removed meanwhile.</summary>
    internal IReadOnlyCollection<EntityEntry> All => _entries.All;

    internal CellWriter CellWriter => field ??= new();

    OrderedKeyWriter KeyWriter => field ??= new(32);

    /// <summary>
    /// Whether <see cref="DatacakeContext.SaveChangesAsync(CancellationToken)"/>, <see cref="Entries()"/>, <see cref="HasChanges"/> and <c>Entry</c> look
    /// for changes by themselves. Default: true. Without it, call <see cref="DetectChanges()"/>.
    /// </summary>
    public bool AutoDetectChangesEnabled { get; set; } = true;

    /// <summary>Gets or sets what becomes of the entities of queries that say nothing of it themselves. Default: they are tracked.</summary>
    public QueryTrackingBehavior QueryTrackingBehavior { get; set; }

    /// <summary>The tracked entities, after a look for changes.</summary>
    public IReadOnlyList<EntityEntry> Entries()
    {
        AutoDetect();
        return [.. _entries.All];
    }

    /// <summary>The tracked entities of a keyspace's class, after a look for changes.</summary>
    /// <exception cref="InvalidOperationException">
    /// No keyspace of the context is one of this class. For an interface or a derived class, go through <see cref="Entries()"/>.
    /// </exception>
    public IReadOnlyList<EntityEntry<T>> Entries<T>()
        where T : class
    {
        if (!Context.Keyspaces.Any(keyspace => keyspace.Entity is EntityModel<T>))
        {
            string name = ExpressionText.NameOf(typeof(T));
            throw new InvalidOperationException(
                $"{Context.GetType().Name} has no Keyspace<{name}>, and so no entries of that type. Look among all of them: Entries().Where(entry => entry.Entity is {name}).");
        }
        AutoDetect();
        return Tracked<T>();
    }

    /// <summary>Whether a save has anything to write.</summary>
    public bool HasChanges()
    {
        AutoDetect();
        return _entries.All.Any(entry => entry.CurrentState is EntityState.Added or EntityState.Modified or EntityState.Deleted);
    }

    /// <summary>Compares every tracked entity with what it was, and notes those that changed as modified.</summary>
    /// <exception cref="InvalidOperationException">The key of an entity was changed, or two have the same.</exception>
    public void DetectChanges()
    {
        using var operation = Context.Concurrency.Enter();
        FixRelations(isSaving: false);
        foreach (var entry in _entries.All)
        {
            try
            {
                DetectChanges(entry);
            }
            catch (EntityValidationException)
            {
                NoteUnstorable(entry);
            }
        }
    }

    /// <summary>Takes all entities as they are for saved: added and modified ones become unchanged, deleted ones are forgotten.</summary>
    public void AcceptAllChanges()
    {
        using var operation = Context.Concurrency.Enter();
        foreach (var entry in _entries.All.ToList())
        {
            if (entry.CurrentState != EntityState.Unchanged)
                Accept(entry, entry.CurrentState == EntityState.Deleted ? null : entry.Encode());
        }
        AcceptRelations();
    }

    /// <summary>Forgets all entities; none is written any more.</summary>
    public void Clear()
    {
        using var operation = Context.Concurrency.Enter();
        foreach (var entry in _entries.All)
            entry.CurrentState = EntityState.Detached;
        _entries.Clear();
    }

    internal bool TryGetEntry(object entity, [NotNullWhen(true)] out EntityEntry? entry) => _entries.TryGet(entity, out entry);

    internal bool TryGetEntry(EntityModel model, DocumentKey key, [NotNullWhen(true)] out EntityEntry? entry) =>
        _entries.TryGet(model, key, out entry);

    /// <summary>The entry of an entity, tracked or not.</summary>
    internal EntityEntry<T> EntryOf<T>(EntityModel<T> model, KeyspaceModel keyspace, T entity)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(entity);
        return TryGetEntry(entity, out var known) ? (EntityEntry<T>)known : new EntityEntry<T>(this, keyspace, entity);
    }

    /// <summary>The entry of an entity of a class that is known when it runs.</summary>
    internal EntityEntry EntryOf(KeyspaceModel keyspace, object entity) =>
        TryGetEntry(entity, out var known) ? known : keyspace.Entity.CreateEntry(this, keyspace, entity);

    /// <summary>Looks for changes of one entity, as far as its own properties show them.</summary>
    internal TEntry Refresh<TEntry>(TEntry entry)
        where TEntry : EntityEntry
    {
        if (!AutoDetectChangesEnabled || entry.IsAsserted || entry.CurrentState is not (EntityState.Unchanged or EntityState.Modified) || entry.Original is not { } original)
            return entry;
        try
        {
            entry.CurrentState = entry.Encode().ChangesFrom(original).IsEmpty ? EntityState.Unchanged : EntityState.Modified;
        }
        catch (EntityValidationException)
        {
            NoteUnstorable(entry);
        }
        return entry;
    }

    /// <summary>A value that cannot be stored is a change, which the save refuses.</summary>
    static void NoteUnstorable(EntityEntry entry)
    {
        if (entry.CurrentState == EntityState.Unchanged)
            entry.CurrentState = EntityState.Modified;
    }

    internal void SetState(EntityEntry entry, EntityState state)
    {
        using var operation = Context.Concurrency.Enter();
        bool isKept = state is EntityState.Unchanged or EntityState.Modified;
        entry.IsSpared = isKept && (entry.IsSpared || (entry.CurrentState == EntityState.Deleted && (entry.IsCascaded || entry.IsOrphan)));
        entry.IsReached = entry.MayBeStored = entry.IsOrphan = entry.IsCascaded = false;
        NoteDetached(entry, state == EntityState.Detached);
        if (state == EntityState.Detached || (state == EntityState.Deleted && entry.CurrentState == EntityState.Added))
        {
            Forget(entry);
            return;
        }
        // First what may be refused, so that the entity is then as before.
        var original = state == EntityState.Unchanged ? entry.Encode() : null;
        // Of an entity that was not read, the tokens are those that it has now: a web form brings back what was read for it.
        bool hasGivenTokens = entry.CurrentState == EntityState.Detached && state is EntityState.Modified or EntityState.Deleted
            && entry.Keyspace.Entity.ConcurrencyTokens.Count > 0;
        var given = hasGivenTokens ? entry.Encode() : null;
        if (entry.CurrentState == EntityState.Detached)
        {
            var key = entry.Keyspace.Entity.KeyOf(entry.Entity, KeyWriter);
            // The one that has its key is to be deleted, so that this one replaces it.
            if (state == EntityState.Added && TryGetEntry(entry.Keyspace.Entity, key, out var known) && known.CurrentState == EntityState.Deleted)
            {
                _entries.Remove(known);
                known.CurrentState = EntityState.Detached;
                entry.Replaced = known;
            }
            Track(entry, key);
        }
        if (given is not null)
            entry.Given = given;
        if (original is not null)
            entry.SetOriginal(original);
        if (state == EntityState.Added)
            entry.ForgetOriginal();
        entry.IsAsserted = state == EntityState.Modified;
        entry.IsNew = state == EntityState.Added;
        entry.CurrentState = state;
    }

    /// <summary>Tracks an entity that was just read, or returns the instance that is tracked under its key.</summary>
    internal T TrackRead<T>(KeyspaceModel keyspace, DocumentKey key, Document document, T entity)
        where T : class
    {
        if (_entries.TryGet(keyspace.Entity, key, out var known))
            return (T)known.Entity;
        var entry = new EntityEntry<T>(this, keyspace, entity) { CurrentState = EntityState.Unchanged };
        Track(entry, key);
        entry.SetOriginal(document);
        return entity;
    }

    /// <summary>The tracked entities of a class, without a look for changes.</summary>
    internal IReadOnlyList<EntityEntry<T>> Tracked<T>()
        where T : class => [.. _entries.All.OfType<EntityEntry<T>>()];

    /// <summary>The entities that are to be deleted.</summary>
    internal IEnumerable<EntityEntry> Deleted() => _entries.All.Where(entry => entry.CurrentState == EntityState.Deleted);

    /// <summary>What is tracked and in which state, for <see cref="Restore"/>.</summary>
    internal IReadOnlyList<(EntityEntry Entry, EntityState State, bool IsAsserted, bool IsOrphan)> Capture() =>
        [.. _entries.All.Select(entry => (entry, entry.CurrentState, entry.IsAsserted, entry.IsOrphan))];

    /// <summary>Tracks again what was tracked, and nothing else, after a save that failed.</summary>
    internal void Restore(IReadOnlyList<(EntityEntry Entry, EntityState State, bool IsAsserted, bool IsOrphan)> before)
    {
        foreach (var entry in _entries.All.Except(before.Select(known => known.Entry)).ToList())
            Forget(entry);
        foreach (var (entry, state, isAsserted, isOrphan) in before)
        {
            (entry.CurrentState, entry.IsAsserted, entry.IsOrphan) = (state, isAsserted, isOrphan);
            _entries.TryAdd(entry);
        }
    }

    /// <summary>The save under way deletes an entity; one that was only added is forgotten.</summary>
    internal void Remove(EntityEntry entry)
    {
        if (entry.CurrentState == EntityState.Added)
            Forget(entry);
        else
            entry.CurrentState = EntityState.Deleted;
    }

    /// <summary>Tracks an entity of the user's that was just read anew.</summary>
    internal void TrackRead(EntityEntry entry, DocumentKey key) => Track(entry, key);

    /// <summary>What a save has to write of an entity: null if nothing.</summary>
    internal PendingWrite? DetectChanges(EntityEntry entry)
    {
        if (entry.CurrentState == EntityState.Deleted)
            return new PendingWrite(entry, null, null);
        CheckKey(entry);
        var current = entry.Encode();
        if (entry.CurrentState == EntityState.Added)
            return new PendingWrite(entry, current, current);
        if (entry.Original is not { } original)
            return new PendingWrite(entry, current, null);
        var changes = entry.IsAsserted ? current.AssertedOver(original) : current.ChangesFrom(original);
        entry.CurrentState = entry.IsAsserted || !changes.IsEmpty ? EntityState.Modified : EntityState.Unchanged;
        return changes.IsEmpty ? null : new PendingWrite(entry, current, changes);
    }

    internal IReadOnlyList<PendingWrite> CollectWrites()
    {
        var writes = new List<PendingWrite>(CountLikelyWrites());
        List<ValidationError>? errors = null;
        foreach (var entry in _entries.All)
        {
            // Without detection what was unchanged at the last look counts as unchanged.
            if (entry.CurrentState == EntityState.Unchanged && !AutoDetectChangesEnabled)
                continue;
            try
            {
                if (DetectChanges(entry) is { } write)
                    writes.Add(write);
            }
            catch (EntityValidationException e)
            {
                (errors ??= []).AddRange(e.Errors);
            }
        }
        return errors is null ? writes : throw new EntityValidationException(errors);
    }

    /// <summary>Takes what an entity is now for what is stored.</summary>
    /// <param name="entry">The entity.</param>
    /// <param name="content">All of it; null if it is deleted.</param>
    /// <param name="changes">What of it was written; null if that is not known, or all.</param>
    internal void Accept(EntityEntry entry, EntityContent? content, EntityContent? changes = null)
    {
        if (content is null)
        {
            NoteDetached(entry, isDetached: true);
            Forget(entry);
            return;
        }
        entry.SetOriginal(content, entry.CurrentState == EntityState.Added ? null : changes);
        entry.IsAsserted = entry.MayReplace = entry.IsCascaded = entry.IsSpared = false;
        entry.Replaced = null;
        entry.CurrentState = EntityState.Unchanged;
    }

    void AutoDetect()
    {
        Context.Concurrency.ThrowIfBusy();
        if (AutoDetectChangesEnabled)
            DetectChanges();
    }

    /// <summary>How many entities were added, deleted, or changed when that was last looked at: rarely do more come to them.</summary>
    int CountLikelyWrites()
    {
        int count = 0;
        foreach (var entry in _entries.All)
            count += entry.CurrentState == EntityState.Unchanged ? 0 : 1;
        return Math.Max(count, Math.Min(_entries.All.Count, FirstWrites));
    }

    void Track(EntityEntry entry, DocumentKey key)
    {
        entry.Key = key;
        if (!_entries.TryAdd(entry))
            throw Duplicate(entry, key);
    }

    internal void Forget(EntityEntry entry)
    {
        bool replaces = entry.CurrentState == EntityState.Added;
        entry.CurrentState = EntityState.Detached;
        entry.IsAsserted = entry.MayReplace = false;
        entry.ForgetOriginal();
        entry.ForgetNavigations();
        _entries.Remove(entry);
        if (entry.Replaced is not { } replaced)
            return;
        // What it was to replace is still to be deleted.
        entry.Replaced = null;
        if (replaces && _entries.TryAdd(replaced))
            replaced.CurrentState = EntityState.Deleted;
    }

    /// <summary>The key of an added entity may still change, that of a stored one may not.</summary>
    void CheckKey(EntityEntry entry)
    {
        entry.Keyspace.Entity.WriteKeyAnew(entry.Entity, KeyWriter);
        if (KeyWriter.Written.SequenceEqual(entry.Key.Encoded.Span))
            return;
        var key = entry.Keyspace.Entity.KeyOf(KeyWriter);
        if (entry.CurrentState != EntityState.Added)
        {
            throw new InvalidOperationException(
                $"The key of the {entry.Keyspace.Entity.Name} {entry.Key} was changed to {key}; the key of a stored entity is for life. "
                + "Remove the entity and add another one.");
        }
        if (!_entries.TryChangeKey(entry, key))
            throw Duplicate(entry, key);
    }

    static InvalidOperationException Duplicate(EntityEntry entry, DocumentKey key) => new(
        $"The {entry.Keyspace.Entity.Name} {key} is tracked by this context already, as another instance. "
            + "Change that one (FindAsync returns it), or detach it first.");
}
