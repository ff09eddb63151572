using Datacake.Data.Metadata;

namespace Datacake.Data.Querying;

/// <summary>An inclusion of the related entities of a navigation.</summary>
sealed record DeclaredInclusion<T, TRelated>(NavigationModel<TRelated> Declared, RelatedFilter<TRelated>? Filter) : Inclusion<T, TRelated>
    where T : class
    where TRelated : class
{
    public override string Navigation => Declared.Name;

    public override string Name => $"include {Declared.Name}{Filter?.Description}";

    protected override async Task<IReadOnlyList<TRelated>> LoadRelatedAsync(
        QuerySource source, IReadOnlyList<T> batch, CancellationToken cancellationToken)
    {
        var context = source.Context;
        using var operation = context.Concurrency.Enter();
        var store = await context.GetStoreAsync(cancellationToken).ConfigureAwait(false);
        using var snapshot = await store.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        var related = await Declared.FindAsync(RelatedSource.Of(source, snapshot), batch, Filter, cancellationToken).ConfigureAwait(false);
        bool isTracked = source.IsTracking && source.Identities is null;
        foreach (var item in batch)
        {
            IEnumerable<TRelated> targets = related.Of(item);
            List<TRelated> included = [.. Filter is null ? targets : Filter.Apply(targets)];
            var entry = isTracked && context.ChangeTracker.TryGetEntry(item, out var known) ? known : null;
            if (Declared.IsCollection)
                Fill(item, included, entry, context.ChangeTracker);
            else
                Set(item, included.FirstOrDefault(), entry);
            // Entities that an earlier load brought and the filter leaves out stay.
            entry?.SetLoaded(Declared, Filter is null ? included : entry.LoadedOf(Declared).Concat(included).ToList(), isComplete: Filter is null || entry.IsLoaded(Declared));
            if (Declared.Inverse is not { IsCollection: false } inverse)
                continue;
            foreach (var target in included)
                SetInverse(inverse, item, target, isTracked && context.ChangeTracker.TryGetEntry(target, out var child) ? child : null);
        }
        return related.All;
    }

    /// <summary>Sets the reference, unless it was changed to an entity that is not saved yet.</summary>
    void Set(T item, TRelated? target, EntityEntry? entry)
    {
        var current = Declared.ReferenceOf(item);
        if (!ReferenceEquals(current, target) && (entry is null || !entry.IsChanged(Declared, current)))
            Declared.SetReference(item, target);
    }

    /// <summary>
    /// Fills the collection. For a tracked entity, unsaved additions and removals are kept, and entities that an earlier load brought
    /// follow those that a filter selects.
    /// </summary>
    void Fill(T item, List<TRelated> included, EntityEntry? entry, ChangeTracker tracker)
    {
        var collection = Declared.CollectionOf(item);
        if (entry is not null)
        {
            var before = entry.LoadedOf(Declared);
            var current = new HashSet<object>(collection, ReferenceEqualityComparer.Instance);
            var stored = new HashSet<object>(included, ReferenceEqualityComparer.Instance);
            var added = collection.Where(target => !stored.Contains(target) && (Filter is not null || !before.Contains(target) || StateOf(target) == EntityState.Added)).ToList();
            included = [.. included.Where(target => (!before.Contains(target) || current.Contains(target)) && StateOf(target) != EntityState.Deleted), .. added];
        }
        collection.Clear();
        foreach (var target in included)
            collection.Add(target);

        EntityState StateOf(TRelated target) => tracker.TryGetEntry(target, out var child) ? child.CurrentState : EntityState.Detached;
    }

    /// <summary>Sets the inverse reference of an included entity, unless it was changed.</summary>
    static void SetInverse(NavigationModel inverse, T item, TRelated target, EntityEntry? entry)
    {
        var current = inverse.TargetOf(target);
        if (entry is not null && entry.IsChanged(inverse, current))
            return;
        if (!ReferenceEquals(current, item))
            inverse.Add(target, item);
        entry?.SetLoaded(inverse, [item], isComplete: true);
    }
}
