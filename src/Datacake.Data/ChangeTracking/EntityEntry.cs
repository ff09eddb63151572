using Datacake.Crdt;
using Datacake.Data.Cells;
using Datacake.Data.Querying;
using Datacake.EventualConsistency;

namespace Datacake.Data;

/// <summary>
/// The state of one entity in a context, with its current and original values. Not thread-safe, like the context.
/// </summary>
public partial class EntityEntry
{
    readonly ChangeTracker _tracker;

    // The entity as it was last read or saved. A document that was read is encoded as an entity only when it is compared.
    Document? _originalDocument;
    DocumentContent? _stored;
    EntityContent? _original;
    object? _originalEntity;

    internal EntityEntry(ChangeTracker tracker, KeyspaceModel keyspace, object entity)
    {
        _tracker = tracker;
        Keyspace = keyspace;
        Entity = entity;
    }

    /// <summary>Gets the entity.</summary>
    public object Entity { get; }

    /// <summary>Gets the keyspace of the entity.</summary>
    public KeyspaceModel Keyspace { get; }

    /// <summary>
    /// Gets the key of the entity in the store. If it gets a number when it is saved, it is a temporary key until then; see <see cref="PropertyEntry.IsTemporary"/>.
    /// </summary>
    public DocumentKey Key { get; internal set; }

    /// <summary>
    /// Gets or sets the state of the entity, which determines what the next save does. The getter returns the state as of the last change
    /// detection, such as by <c>Entry</c> or <see cref="ChangeTracker.Entries()"/>.
    /// </summary>
    /// <remarks>
    /// Setting the state to <see cref="EntityState.Modified"/> writes all properties, changed or not. Setting it to
    /// <see cref="EntityState.Unchanged"/> accepts the current values as the stored ones.
    /// </remarks>
    public EntityState State
    {
        get => CurrentState;
        set => _tracker.SetState(this, value);
    }

    /// <summary>Gets the mapped properties with their values.</summary>
    public IEnumerable<PropertyEntry> Properties => Keyspace.Entity.Properties.Select(property => new PropertyEntry(this, property));

    /// <summary>Gets the current values of the properties.</summary>
    public PropertyValues CurrentValues => new(Keyspace.Entity, () => Entity, (name, value) => Property(name).Set(value));

    /// <summary>
    /// Gets the values that the properties had when the entity was last read, attached or saved; see
    /// <see cref="PropertyEntry.OriginalValue"/>.
    /// </summary>
    public PropertyValues OriginalValues => new(Keyspace.Entity, () => OriginalEntity ?? Entity, (name, value) => Property(name).SetOriginal(value));

    /// <summary>
    /// Reads the values that the local store has under the key of the entity; returns null if there are none. The entity does not change.
    /// </summary>
    /// <exception cref="UnreadableEntityException">The stored entity does not match its class.</exception>
    public async Task<PropertyValues?> GetDatabaseValuesAsync(CancellationToken cancellationToken = default) =>
        await ReadStoredAsync(cancellationToken).ConfigureAwait(false) is { } stored
            ? new(Keyspace.Entity, () => stored, set: null)
            : null;

    /// <summary>Returns a property by its name or, if it is nested, by a path such as <c>Address.City</c>.</summary>
    /// <exception cref="ArgumentException">The class has no mapped property of this name.</exception>
    public PropertyEntry Property(string name) => new(
        this,
        Keyspace.Entity.FindProperty(name)
            ?? throw new ArgumentException($"{Keyspace.Entity.Name} has no mapped property '{name}'.", nameof(name)));

    /// <summary>
    /// Reloads the entity from the local store. Its properties get the stored values, and pending changes are discarded. If the store no
    /// longer has the entity, its state becomes <see cref="EntityState.Detached"/>.
    /// </summary>
    public async Task ReloadAsync(CancellationToken cancellationToken = default)
    {
        using var operation = Context.Concurrency.Enter();
        var (key, document) = await GetDocumentAsync(cancellationToken).ConfigureAwait(false);
        if (document is not null)
            SetToStored(key, document);
        else
            Detach(key);
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Keyspace.Entity.Name} {Key}: {State}";

    internal IQueryContext Context => _tracker.Context;

    internal ChangeTracker Tracker => _tracker;

    /// <summary>Gets or sets the number in the temporary key of a new entity, in the order in which entities were added; 0 if it has none.</summary>
    internal long TemporaryNumber { get; set; }

    internal EntityState CurrentState { get; set; } = EntityState.Detached;

    /// <summary>Gets or sets the state with which the entity was sent in a save whose outcome is not known; null if it is not part of one.</summary>
    internal EntityState? SentState { get; set; }

    /// <summary>True if the entity is new, and not part of a save that may have added it, so that nothing is to be deleted if it is removed.</summary>
    internal bool IsOnlyAdded => CurrentState == EntityState.Added && SentState is null;

    /// <summary>True if a save writes all properties, changed or not, because the user marked the entity as modified.</summary>
    internal bool IsAsserted { get; set; }

    /// <summary>True if an added entity replaces any stored entity with its key.</summary>
    internal bool MayReplace { get; set; }

    /// <summary>Gets or sets the entity with the same key that was to be deleted when this one was added.</summary>
    internal EntityEntry? Replaced { get; set; }

    /// <summary>
    /// Gets or sets the content of the entity when it was first updated or removed without having been read. Set only if the class has
    /// concurrency tokens.
    /// </summary>
    internal EntityContent? AssumedOriginal { get; set; }

    internal EntityContent? Original
    {
        get
        {
            // Not the cells of the document itself, but those that the entity read from it would be written as: this version of the class
            // ignores cells that it does not know, and a property that was not stored yet has its default value.
            if (_original is null && _originalDocument is not null)
                _original = ContentOf(_originalDocument);
            return _original;
        }
    }

    /// <summary>
    /// Gets the whole content under which the entity is stored, as far as the context knows, to which a serial save is compared; null if the entity was not
    /// read, or if the user has set its original values.
    /// </summary>
    internal DocumentContent? Stored => _stored ??= _originalDocument is null ? null : StoredContent.Of(_originalDocument);

    internal EntityContent ContentOf(Document document) =>
        Keyspace.Entity.Encode(Keyspace.Entity.ReadEntity(Key, document), _tracker.CellWriter);

    internal object? OriginalEntity => _originalEntity ??= Original is { } original ? Keyspace.Entity.ReadEntity(Key, original) : null;

    /// <summary>Sets the properties to the stored values. Pending changes are discarded.</summary>
    internal void SetToStored(DocumentKey key, Document document)
    {
        object stored = Keyspace.Entity.ReadEntity(key, document);
        foreach (var property in Keyspace.Entity.Properties)
        {
            if (property.Setter is { } setter && property.Kind != PropertyKind.Key && !Keyspace.Entity.IsSetWithOwner(property))
                setter(Entity, property.GetValue(stored));
        }
        if (CurrentState == EntityState.Detached)
            _tracker.TrackRead(this, key);
        UpdateReferences(_tracker);
        SetOriginal(document);
        IsAsserted = false;
        SentState = null;
        Context.OnReloaded(Keyspace, key);
        CurrentState = EntityState.Unchanged;
    }

    /// <summary>Stops tracking the entity, because a read has not found it.</summary>
    internal void Detach(DocumentKey key)
    {
        Context.OnReloaded(Keyspace, key);
        _tracker.Accept(this, content: null);
    }

    /// <summary>Sets the properties to the original values. Pending changes are discarded.</summary>
    internal void SetToOriginal(EntityContent original)
    {
        if (!HasValuesOf(original))
        {
            // Not the cached instance, whose nested objects the user may change later.
            object read = _originalDocument is not null && Lacking.Count == 0 ? Keyspace.Entity.ReadEntity(Key, _originalDocument) : Keyspace.Entity.ReadEntity(Key, original);
            foreach (var property in Keyspace.Entity.Properties)
            {
                if (property.Setter is { } setter && !Keyspace.Entity.IsSetWithOwner(property))
                    setter(Entity, property.GetValue(read));
            }
        }
        ForgetPending();
        IsAsserted = MayReplace = false;
        CurrentState = EntityState.Unchanged;
    }

    /// <summary>Returns true if the entity has its original values. It then has no changes, detected or not.</summary>
    internal bool HasOriginalValues() => Original is { } original && HasValuesOf(original);

    /// <summary>Returns true if the original values are those of a document.</summary>
    internal bool IsFrom(Document document) => _originalDocument?.Equals(document) == true;

    bool HasValuesOf(EntityContent original)
    {
        try
        {
            return Keyspace.Entity.KeyOf(Entity) == Key && Encode().ChangesFrom(original).IsEmpty;
        }
        catch (EntityValidationException)
        {
            return false;
        }
    }

    /// <summary>
    /// Gets the properties that the store lacks and whose initializers give a different value each time, such as a new Guid. Such a
    /// difference is not a change.
    /// </summary>
    internal IReadOnlyCollection<string> Lacking { get; private set; } = [];

    internal void SetOriginal(Document document)
    {
        ForgetOriginal();
        _originalDocument = document;
        Lacking = Keyspace.Entity.FindLacking(document);
        // Reading the document again would give other values.
        if (Lacking.Count > 0)
            _original = Encode();
    }

    /// <summary>Sets the original values to those that are now stored.</summary>
    /// <param name="content">The whole content of the entity.</param>
    /// <param name="written">The content that was written; null if all of it was written.</param>
    /// <param name="stored">The whole document that a serial save has written; null if the entity merges.</param>
    internal void SetOriginal(EntityContent content, EntityContent? written = null, DocumentContent? stored = null)
    {
        IReadOnlyCollection<string> lacking = written is null ? [] : [.. Lacking.Where(property => !written.HasCellOf(property))];
        ForgetOriginal();
        (_original, _stored) = (content, stored);
        Lacking = lacking;
    }

    /// <summary>Sets the original values to those of another instance.</summary>
    internal void SetOriginalFrom(object original)
    {
        (_originalDocument, _stored, _original, _originalEntity) = (null, null, Keyspace.Entity.Encode(original, _tracker.CellWriter), original);
        AssumedOriginal = null;
        // The store is compared with these values.
        Context.OnReloaded(Keyspace, Key);
    }

    internal void ForgetOriginal() =>
        (_originalDocument, _stored, _original, _originalEntity, AssumedOriginal, Lacking) = (null, null, null, null, null, []);

    internal EntityContent Encode() => Keyspace.Entity.Encode(Entity, _tracker.CellWriter);

    /// <summary>Reads the stored entity that has the key of this one; returns null if there is none.</summary>
    async Task<object?> ReadStoredAsync(CancellationToken cancellationToken)
    {
        using var operation = Context.Concurrency.Enter();
        var (key, document) = await GetDocumentAsync(cancellationToken).ConfigureAwait(false);
        return document is null ? null : Keyspace.Entity.ReadEntity(key, document);
    }

    async Task<(DocumentKey Key, Document? Document)> GetDocumentAsync(CancellationToken cancellationToken)
    {
        var store = await Context.GetStoreAsync(cancellationToken).ConfigureAwait(false);
        var key = CurrentState == EntityState.Detached ? Keyspace.Entity.KeyOf(Entity) : Key;
        using var snapshot = await store.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        snapshot.Observer = Context.Reads;
        return (key, await snapshot.GetAsync(Keyspace.Name, key, cancellationToken).ConfigureAwait(false));
    }
}
