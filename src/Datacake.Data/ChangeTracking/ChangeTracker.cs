using System.Diagnostics.CodeAnalysis;
using Datacake.Crdt;
using Datacake.Data.Cells;
using Datacake.Data.ChangeTracking;
using Datacake.Data.CodeGeneration;
using Datacake.Data.Querying;
using Datacake.Data.Querying.Analysis;
using Datacake.EventualConsistency;

namespace Datacake.Data;

/// <summary>
/// The entities that a context tracks, one instance for each key, and their states. Not thread-safe, like the context.
/// </summary>
public sealed partial class ChangeTracker : IEntityTracker
{
    const int FirstWrites = 16;

    readonly TrackedEntries _entries = new();

    internal ChangeTracker(IQueryContext context) => Context = context;

    internal IQueryContext Context { get; }

    /// <summary>Gets the generator of the keys of added entities.</summary>
    internal KeyGenerator KeyGenerator => field ??= new(Context.Node.Clock);

    internal NavigationFixer Relations => field ??= new(this);

    internal GraphTracker Graph => field ??= new(this);

    /// <summary>Gets all entries. No entry may be added or removed during an enumeration.</summary>
    internal IReadOnlyCollection<EntityEntry> All => _entries.All;

    internal CellWriter CellWriter => field ??= new();

    OrderedKeyWriter KeyWriter => field ??= new(32);

    /// <summary>
    /// Gets or sets whether <see cref="DatacakeContext.SaveChangesAsync(CancellationToken)"/>, <see cref="Entries()"/>,
    /// <see cref="HasChanges"/> and <c>Entry</c> detect changes automatically. If false, call <see cref="DetectChanges()"/>. Default: true.
    /// </summary>
    public bool AutoDetectChangesEnabled { get; set; } = true;

    /// <summary>Gets or sets the tracking behavior of queries that do not specify one. Default: entities are tracked.</summary>
    public QueryTrackingBehavior QueryTrackingBehavior { get; set; }

    /// <summary>Returns all tracked entities, after detecting changes.</summary>
    public IReadOnlyList<EntityEntry> Entries()
    {
        AutoDetect();
        return [.. _entries.All];
    }

    /// <summary>Returns the tracked entities of a keyspace's entity class, after detecting changes.</summary>
    /// <exception cref="InvalidOperationException">
    /// The context has no keyspace for this class. For an interface or a derived class, filter <see cref="Entries()"/>.
    /// </exception>
    public IReadOnlyList<EntityEntry<T>> Entries<T>()
        where T : class
    {
        if (!Context.Model.Keyspaces.Any(keyspace => keyspace.Entity is EntityModel<T>))
        {
            string name = ExpressionText.NameOf(typeof(T));
            throw new InvalidOperationException(
                $"{Context.Model.Name} has no Keyspace<{name}>, so it has no entries of that type. Filter all entries instead: Entries().Where(entry => entry.Entity is {name}).");
        }
        AutoDetect();
        return Tracked<T>();
    }

    /// <summary>Returns true if a save has anything to write.</summary>
    public bool HasChanges()
    {
        AutoDetect();
        return _entries.All.Any(entry => entry.CurrentState is EntityState.Added or EntityState.Modified or EntityState.Deleted);
    }

    /// <summary>Compares every tracked entity with its original values, and marks those that differ as modified.</summary>
    /// <exception cref="InvalidOperationException">The key of a stored entity was changed, or two entities have the same key.</exception>
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
                MarkUnstorable(entry);
            }
        }
    }

    /// <summary>
    /// Marks all entities as saved: added and modified entities become unchanged, and deleted entities are no longer tracked.
    /// </summary>
    public void AcceptAllChanges()
    {
        using var operation = Context.Concurrency.Enter();
        foreach (var entry in _entries.All)
            CheckStorable(entry, "cannot be accepted as saved");
        foreach (var entry in _entries.All.ToList())
        {
            if (entry.CurrentState != EntityState.Unchanged)
                Accept(entry, entry.CurrentState == EntityState.Deleted ? null : entry.Encode());
        }
        AcceptRelations();
    }

    /// <summary>Stops tracking all entities. Pending changes are discarded.</summary>
    public void Clear()
    {
        using var operation = Context.Concurrency.Enter();
        foreach (var entry in _entries.All)
            entry.CurrentState = EntityState.Detached;
        _entries.Clear();
        _unnumbered = null;
    }

    internal bool TryGetEntry(object entity, [NotNullWhen(true)] out EntityEntry? entry) => _entries.TryGet(entity, out entry);

    internal bool TryGetEntry(EntityModel model, DocumentKey key, [NotNullWhen(true)] out EntityEntry? entry) =>
        _entries.TryGet(model, key, out entry);

    /// <summary>Returns the entry of an entity, tracked or not.</summary>
    internal EntityEntry<T> EntryOf<T>(KeyspaceModel keyspace, T entity)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(entity);
        return TryGetEntry(entity, out var known) ? (EntityEntry<T>)known : new EntityEntry<T>(this, keyspace, entity);
    }

    /// <summary>Returns the entry of an entity whose class is known only at run time.</summary>
    internal EntityEntry EntryOf(KeyspaceModel keyspace, object entity) =>
        TryGetEntry(entity, out var known) ? known : NewEntry(keyspace, entity);

    /// <summary>Creates the entry of an entity that is not tracked yet.</summary>
    internal EntityEntry NewEntry(KeyspaceModel keyspace, object entity) => keyspace.Entity.Accept(new EntryCreation(this, keyspace, entity));

    /// <summary>Detects changes to the properties of one entity, without examining its navigations.</summary>
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
            MarkUnstorable(entry);
        }
        return entry;
    }

    /// <summary>Marks an entity that has an invalid value as modified, so that the save reports the value.</summary>
    static void MarkUnstorable(EntityEntry entry)
    {
        if (entry.CurrentState == EntityState.Unchanged)
            entry.CurrentState = EntityState.Modified;
    }

    internal void SetState(EntityEntry entry, EntityState state)
    {
        using var operation = Context.Concurrency.Enter();
        bool isKept = state is EntityState.Unchanged or EntityState.Modified;
        if (isKept && entry.CurrentState == EntityState.Added && entry.Keyspace.Entity.MayAwaitNumber)
        {
            CheckStorable(entry, $"cannot become {state}");
            CheckKey(entry);
        }
        entry.IsDeleteOverridden = isKept && (entry.IsDeleteOverridden || (entry.CurrentState == EntityState.Deleted && (entry.IsCascaded || entry.IsOrphan)));
        entry.IsReached = entry.MayBeStored = entry.IsOrphan = entry.IsCascaded = false;
        RecordDetached(entry, state == EntityState.Detached);
        if (state == EntityState.Detached || (state == EntityState.Deleted && entry.IsOnlyAdded))
        {
            Forget(entry);
            return;
        }
        // Encoding comes first, because it may throw, and the entry must then be unchanged.
        var original = state == EntityState.Unchanged ? entry.Encode() : null;
        // If the entity was not read, its current tokens are the original ones: a web form sends back the tokens that were read for it.
        bool assumesOriginal = entry.CurrentState == EntityState.Detached && state is EntityState.Modified or EntityState.Deleted
            && entry.Keyspace.Entity.ConcurrencyTokens.Count > 0;
        var assumed = assumesOriginal ? entry.Encode() : null;
        if (entry.CurrentState == EntityState.Detached)
        {
            var key = state == EntityState.Added ? AddedKeyOf(entry) : entry.Keyspace.Entity.KeyOf(entry.Entity, KeyWriter);
            // The tracked entity with this key is to be deleted, so the new entity replaces it.
            if (state == EntityState.Added && TryGetEntry(entry.Keyspace.Entity, key, out var known) && known.CurrentState == EntityState.Deleted)
            {
                _entries.Remove(known);
                known.CurrentState = EntityState.Detached;
                entry.Replaced = known;
            }
            Track(entry, key);
        }
        if (assumed is not null)
            entry.AssumedOriginal = assumed;
        if (original is not null)
            entry.SetOriginal(original);
        if (state == EntityState.Added)
            entry.ForgetOriginal();
        entry.IsAsserted = state == EntityState.Modified;
        entry.IsNew = state == EntityState.Added;
        entry.CurrentState = state;
    }

    /// <summary>Returns the tracked entities of a class, without detecting changes.</summary>
    internal IReadOnlyList<EntityEntry<T>> Tracked<T>()
        where T : class => [.. _entries.All.OfType<EntityEntry<T>>()];

    /// <summary>
    /// Returns the unchanged serial entities that are stored as they are by the word of the user alone, because they were attached, or given other original values.
    /// </summary>
    internal IReadOnlyList<EntityEntry> AssumedSerial() =>
        [.. _entries.All.Where(static entry => entry is { CurrentState: EntityState.Unchanged, Keyspace.Entity.IsSerial: true, Stored: null, Original: not null })];

    /// <summary>Returns the entities that are to be deleted.</summary>
    internal IEnumerable<EntityEntry> Deleted() => _entries.All.Where(entry => entry.CurrentState == EntityState.Deleted);

    /// <summary>Captures the tracked entities and their states for <see cref="Restore"/>.</summary>
    internal IReadOnlyList<(EntityEntry Entry, EntityState State, bool IsAsserted, bool IsOrphan)> Capture() =>
        [.. _entries.All.Select(entry => (entry, entry.CurrentState, entry.IsAsserted, entry.IsOrphan))];

    /// <summary>Restores the captured entities and states after a save that failed, and stops tracking all other entities.</summary>
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

    /// <summary>
    /// Discards the changes to an entity that was read or attached, and tracks it again if <see cref="Clear"/> or a replacement has ended that.
    /// </summary>
    internal void Return(EntityEntry entry)
    {
        if (entry.Original is not { } original || !_entries.TryGet(entry.Entity, out _) && !_entries.TryAdd(entry))
            return;
        entry.SetToOriginal(original);
    }

    /// <summary>Deletes an entity as part of the current save. Stops tracking an entity that was only added.</summary>
    internal void Remove(EntityEntry entry)
    {
        if (entry.IsOnlyAdded)
            Forget(entry);
        else
            entry.CurrentState = EntityState.Deleted;
    }

    /// <summary>Tracks a user's instance whose values were just read.</summary>
    internal void TrackRead(EntityEntry entry, DocumentKey key) => Track(entry, key);

    /// <summary>Returns the write that a save has to make for an entity; null if there is none.</summary>
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
        // A foreign key that gets a number has to be written, even if it was 0 before.
        bool isAsserted = entry.IsAsserted || RefersToUnnumbered(entry);
        var changes = isAsserted ? current.AssertedOver(original) : current.ChangesFrom(original);
        entry.CurrentState = isAsserted || !changes.IsEmpty ? EntityState.Modified : EntityState.Unchanged;
        return changes.IsEmpty ? null : new PendingWrite(entry, current, changes);
    }

    internal IReadOnlyList<PendingWrite> CollectWrites()
    {
        var writes = new List<PendingWrite>(CountLikelyWrites());
        List<ValidationError>? errors = null;
        foreach (var entry in _entries.All)
        {
            // Without automatic detection, an entity that was unchanged when it was last examined counts as unchanged.
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

    /// <summary>Accepts the current values of an entity as the stored ones.</summary>
    /// <param name="entry">The entity.</param>
    /// <param name="content">The whole content of the entity; null if it was deleted.</param>
    /// <param name="changes">The content that was written; null if it is unknown or if all of it was written.</param>
    /// <param name="stored">The whole document that a serial save has written; null if the entity merges.</param>
    internal void Accept(EntityEntry entry, EntityContent? content, EntityContent? changes = null, DocumentContent? stored = null)
    {
        if (content is null)
        {
            RecordDetached(entry, isDetached: true);
            Forget(entry);
            return;
        }
        entry.SetOriginal(content, entry.CurrentState == EntityState.Added ? null : changes, stored);
        entry.IsAsserted = entry.MayReplace = entry.IsCascaded = entry.IsDeleteOverridden = false;
        entry.Replaced = null;
        entry.CurrentState = EntityState.Unchanged;
    }

    /// <summary>Notes that entities are part of a save whose outcome is not known.</summary>
    internal static void MarkSent(IReadOnlyList<PendingWrite> writes)
    {
        foreach (var (entry, _, _) in writes)
            entry.SentState = entry.CurrentState;
    }

    /// <summary>Notes that a save whose outcome was not known has had no effect. New entities that were removed meanwhile are no longer tracked.</summary>
    internal void AcceptRefusal(IReadOnlyList<PendingWrite> writes)
    {
        foreach (var (entry, _, _) in writes)
        {
            bool wasAdded = entry.SentState == EntityState.Added;
            entry.SentState = null;
            if (wasAdded && entry.CurrentState == EntityState.Deleted)
                Forget(entry);
        }
    }

    /// <summary>
    /// Accepts what a save has written whose outcome was not known until now. Changes that the user has made meanwhile stay pending.
    /// </summary>
    internal void AcceptLate(IReadOnlyList<PendingWrite> writes)
    {
        foreach (var write in writes)
        {
            var (entry, content, changes) = write;
            var (sent, state) = (entry.SentState, entry.CurrentState);
            entry.SentState = null;
            if (content is null)
            {
                // One that the user wants back is changed in vain: the next save finds that it is not stored.
                if (state == EntityState.Deleted)
                    Accept(entry, content: null);
                foreach (var replacement in _entries.All.Where(other => other.Replaced == entry))
                    replacement.Replaced = null;
                continue;
            }
            // It was reloaded meanwhile, and is as it was read then.
            if (sent is null)
                continue;
            if (state is EntityState.Deleted or EntityState.Detached)
            {
                // The entity is to be deleted as it is stored now. A detached one may have been replaced since.
                entry.SetOriginal(content, sent == EntityState.Added ? null : changes, write.Document);
                entry.IsAsserted = entry.MayReplace = false;
                entry.Replaced = null;
                continue;
            }
            if (sent != EntityState.Added && state == EntityState.Added)
                continue;
            Accept(entry, content, changes, write.Document);
            MarkIfChanged(entry, content);
        }
    }

    static void MarkIfChanged(EntityEntry entry, EntityContent saved)
    {
        try
        {
            if (!entry.Encode().ChangesFrom(saved).IsEmpty)
                entry.CurrentState = EntityState.Modified;
        }
        catch (EntityValidationException)
        {
            MarkUnstorable(entry);
        }
    }

    void AutoDetect()
    {
        Context.Concurrency.ThrowIfBusy();
        if (AutoDetectChangesEnabled)
            DetectChanges();
    }

    /// <summary>
    /// Estimates how many entities a save writes: those already known to be added, deleted or changed. Few others turn out to be changed.
    /// </summary>
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
        // The entity that this one was to replace is still to be deleted.
        entry.Replaced = null;
        if (replaces && _entries.TryAdd(replaced))
            replaced.CurrentState = EntityState.Deleted;
    }

    /// <summary>Throws if the key of a stored entity has changed. The key of an added entity may change.</summary>
    void CheckKey(EntityEntry entry)
    {
        if (entry.CurrentState == EntityState.Added && entry.Keyspace.Entity.MayAwaitNumber)
        {
            var added = AddedKeyOf(entry);
            if (added != entry.Key && !_entries.TryChangeKey(entry, added))
                throw Duplicate(entry, added);
            return;
        }
        entry.Keyspace.Entity.RewriteKey(entry.Entity, KeyWriter);
        if (KeyWriter.Written.SequenceEqual(entry.Key.Encoded.Span))
            return;
        var key = entry.Keyspace.Entity.KeyOf(KeyWriter);
        if (entry.CurrentState != EntityState.Added)
        {
            throw new InvalidOperationException(
                $"The key of the {entry.Keyspace.Entity.Name} {entry.Key} was changed to {key}. The key of a stored entity cannot change. "
                + "Remove the entity and add a new one.");
        }
        if (!_entries.TryChangeKey(entry, key))
            throw Duplicate(entry, key);
    }

    static InvalidOperationException Duplicate(EntityEntry entry, DocumentKey key) => new(
        $"This context already tracks another instance of the {entry.Keyspace.Entity.Name} {key}. "
            + "Change that instance, which FindAsync returns, or detach it first.");
}
