using Datacake.Crdt;
using Datacake.Data.Metadata;
using Datacake.EventualConsistency;

namespace Datacake.Data;

/// <summary>
/// What a context knows of one entity: its state, and its values as they are and as they were. Not thread-safe, as the context.
/// </summary>
public partial class EntityEntry
{
    readonly ChangeTracker _tracker;

    // What the entity was when it was read or saved last. A document that was read is encoded as an entity only when it is compared.
    Document? _originalDocument;
    EntityContent? _original;
    object? _originalEntity;

    internal EntityEntry(ChangeTracker tracker, KeyspaceModel keyspace, object entity)
    {
        _tracker = tracker;
        Keyspace = keyspace;
        Entity = entity;
    }

    /// <summary>The entity.</summary>
    public object Entity { get; }

    /// <summary>The keyspace that it is in.</summary>
    public KeyspaceModel Keyspace { get; }

    /// <summary>Its key in the store.</summary>
    public DocumentKey Key { get; internal set; }

    /// <summary>Gets or sets what the next save does about the entity: when read, as of the last look for changes, by <c>Entry</c> or <see cref="ChangeTracker.Entries()"/>.</summary>
    /// <remarks>
    /// Setting it to <see cref="EntityState.Modified"/> asserts all properties, changed or not; to <see cref="EntityState.Unchanged"/>
    /// takes the entity as it is for what is stored.
    /// </remarks>
    public EntityState State
    {
        get => CurrentState;
        set => _tracker.SetState(this, value);
    }

    /// <summary>The mapped properties with their values.</summary>
    public IEnumerable<PropertyEntry> Properties => Keyspace.Entity.Properties.Select(property => new PropertyEntry(this, property));

    /// <summary>Gets the values of the properties as they are.</summary>
    public PropertyValues CurrentValues => new(Keyspace.Entity, () => Entity, (name, value) => Property(name).Set(value));

    /// <summary>Gets the values of the properties when the entity was read, attached or saved last; see <see cref="PropertyEntry.OriginalValue"/>.</summary>
    public PropertyValues OriginalValues => new(Keyspace.Entity, () => OriginalEntity ?? Entity, (name, value) => Property(name).SetOriginal(value));

    /// <summary>Reads what the local store has under the key of the entity; returns null if it has nothing. The entity stays as it is.</summary>
    /// <exception cref="UnreadableEntityException">The store has something that is not as the class declares it.</exception>
    public async Task<PropertyValues?> GetDatabaseValuesAsync(CancellationToken cancellationToken = default) =>
        await _tracker.Context.ReadStoredAsync(this, cancellationToken).ConfigureAwait(false) is { } stored
            ? new(Keyspace.Entity, () => stored, set: null)
            : null;

    /// <summary>A property by its name; nested ones are joined by dots.</summary>
    /// <exception cref="ArgumentException">There is no mapped property of this name.</exception>
    public PropertyEntry Property(string name) => new(
        this,
        Keyspace.Entity.FindProperty(name)
            ?? throw new ArgumentException($"{Keyspace.Entity.Name} has no mapped property '{name}'.", nameof(name)));

    /// <summary>
    /// Reads the entity anew from the local store: its values become the stored ones, and pending changes are forgotten. If the store does not have it any more, it is
    /// <see cref="EntityState.Detached"/> afterwards.
    /// </summary>
    public Task ReloadAsync(CancellationToken cancellationToken = default) => _tracker.Context.ReloadAsync(this, cancellationToken);

    /// <inheritdoc/>
    public override string ToString() => $"{Keyspace.Entity.Name} {Key}: {State}";

    internal DatacakeContext Context => _tracker.Context;

    internal EntityState CurrentState { get; set; } = EntityState.Detached;

    /// <summary>Whether a save writes all properties, changed or not: the user said that the entity is modified.</summary>
    internal bool IsAsserted { get; set; }

    /// <summary>True if an added entity replaces whatever the store has under its key.</summary>
    internal bool MayReplace { get; set; }

    /// <summary>Gets or sets the entity with the same key that was to be deleted when this one was added.</summary>
    internal EntityEntry? Replaced { get; set; }

    /// <summary>Gets or sets what the entity was when it was first updated or removed without having been read, if it has concurrency tokens.</summary>
    internal EntityContent? Given { get; set; }

    /// <summary>Whether it is known what is stored. If not, a save looks.</summary>
    internal bool HasOriginal => _original is not null || _originalDocument is not null;

    internal EntityContent? Original
    {
        get
        {
            // Not the document's cells as such, for what they would be if the entity that was read from them were written: cells that this
            // version of the class does not know are no concern of it, and a property that was not there yet has its default value.
            if (_original is null && _originalDocument is not null)
                _original = ContentOf(_originalDocument);
            return _original;
        }
    }

    internal EntityContent ContentOf(Document document) =>
        Keyspace.Entity.Encode(Keyspace.Entity.ReadEntity(Key, document), _tracker.CellWriter);

    internal object? OriginalEntity => _originalEntity ??= Original is { } original ? Keyspace.Entity.ReadEntity(Key, original) : null;

    /// <summary>Brings the entity to what is stored; pending changes are forgotten.</summary>
    internal void TakeStored(DocumentKey key, Document document)
    {
        object stored = Keyspace.Entity.ReadEntity(key, document);
        foreach (var property in Keyspace.Entity.Properties)
        {
            if (property.Setter is { } setter && property.Kind != PropertyKind.Key && !Keyspace.Entity.IsSetWithOwner(property))
                setter(Entity, property.GetValue(stored));
        }
        if (CurrentState == EntityState.Detached)
            _tracker.TrackRead(this, key);
        TakeStoredReferences(_tracker);
        SetOriginal(document);
        IsAsserted = false;
        CurrentState = EntityState.Unchanged;
    }

    /// <summary>
    /// The properties whose initializers give another value each time, a new Guid perhaps, and that the store lacks: none of them has changed because of that.
    /// </summary>
    internal IReadOnlyCollection<string> Lacking { get; private set; } = [];

    internal void SetOriginal(Document document)
    {
        ForgetOriginal();
        _originalDocument = document;
        Lacking = Keyspace.Entity.FindLacking(document);
        // To read the document again would give other values.
        if (Lacking.Count > 0)
            _original = Encode();
    }

    /// <summary>Takes what is stored by now.</summary>
    /// <param name="content">All of the entity.</param>
    /// <param name="written">What of it was written, or null if all was.</param>
    internal void SetOriginal(EntityContent content, EntityContent? written = null)
    {
        IReadOnlyCollection<string> lacking = written is null ? [] : [.. Lacking.Where(property => !written.Names(property))];
        ForgetOriginal();
        _original = content;
        Lacking = lacking;
    }

    /// <summary>Takes an instance with the values that the entity had.</summary>
    internal void TakeOriginal(object original)
    {
        (_originalDocument, _original, _originalEntity) = (null, Keyspace.Entity.Encode(original, _tracker.CellWriter), original);
        Given = null;
    }

    internal void ForgetOriginal() => (_originalDocument, _original, _originalEntity, Given, Lacking) = (null, null, null, null, []);

    internal EntityContent Encode() => Keyspace.Entity.Encode(Entity, _tracker.CellWriter);
}
