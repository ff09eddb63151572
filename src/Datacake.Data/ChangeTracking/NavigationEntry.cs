using Datacake.Data.Metadata;
using Datacake.Data.Querying;

namespace Datacake.Data;

/// <summary>A property of a tracked entity that has one or several related entities.</summary>
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
            ?? throw new ArgumentException($"{metadata.Name} of {entry.Keyspace.Entity.Name} has entities of {metadata.Target.Name}, and not of {typeof(TRelated).Name}.");
    }

    /// <summary>Gets the property.</summary>
    public NavigationModel Metadata => Declared;

    /// <summary>True if all that is related was loaded by this context.</summary>
    public bool IsLoaded => Entry.IsLoaded(Declared);

    internal EntityEntry<T> Entry { get; }

    internal NavigationModel<TRelated> Declared { get; }

    /// <summary>Loads what is related from the local store, as <c>Include</c> does. It is tracked if the entity is.</summary>
    public async Task LoadAsync(CancellationToken cancellationToken = default)
    {
        var source = new QuerySource(Entry.Context, Entry.Keyspace.Entity, Entry.CurrentState == EntityState.Detached ? QuerySettings.Untracked : QuerySettings.Default);
        await new DeclaredInclusion<T, TRelated>(Declared, null).LoadAsync(source, [Entry.Entity], cancellationToken).ConfigureAwait(false);
    }
}
