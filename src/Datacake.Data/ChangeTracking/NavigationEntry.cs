using Datacake.Data.Metadata;
using Datacake.Data.Querying;
using Datacake.Data.Querying.Including;

namespace Datacake.Data;

/// <summary>The state of a navigation of an entity, with operations to load it.</summary>
/// <typeparam name="T">The entity class.</typeparam>
/// <typeparam name="TRelated">The class of the related entities.</typeparam>
public abstract class NavigationEntry<T, TRelated>
    where T : class
    where TRelated : class
{
    private protected NavigationEntry(EntityEntry<T> entry, NavigationModel metadata)
    {
        Entry = entry;
        Declared = metadata as NavigationModel<TRelated>
            ?? throw new ArgumentException($"{metadata.Name} of {entry.Keyspace.Entity.Name} refers to entities of class {metadata.Target.Name}, not {typeof(TRelated).Name}.");
    }

    /// <summary>Gets the model of the navigation.</summary>
    public NavigationModel Metadata => Declared;

    /// <summary>True if this context has loaded all related entities.</summary>
    public bool IsLoaded => Entry.IsLoaded(Declared);

    internal EntityEntry<T> Entry { get; }

    internal NavigationModel<TRelated> Declared { get; }

    /// <summary>
    /// Loads the related entities from the local store, as <c>Include</c> does. They are tracked if the entity is.
    /// </summary>
    public async Task LoadAsync(CancellationToken cancellationToken = default)
    {
        var source = new QuerySource(Entry.Context, Entry.Keyspace.Entity, Entry.CurrentState == EntityState.Detached ? QuerySettings.Untracked : QuerySettings.Default);
        await new DeclaredInclusion<T, TRelated>(Declared, null).LoadAsync(source, [Entry.Entity], cancellationToken).ConfigureAwait(false);
    }
}
