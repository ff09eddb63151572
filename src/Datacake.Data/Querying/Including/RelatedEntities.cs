namespace Datacake.Data.Querying.Including;

/// <summary>The related entities of a batch of entities. Not thread-safe.</summary>
sealed class RelatedEntities<TTarget>
    where TTarget : class
{
    readonly Dictionary<object, List<TTarget>> _byEntity = new(ReferenceEqualityComparer.Instance);
    readonly HashSet<object> _all = new(ReferenceEqualityComparer.Instance);

    /// <summary>Gets all related entities, each once.</summary>
    public IReadOnlyList<TTarget> All => [.. _all.Cast<TTarget>()];

    public void Add(object entity, TTarget target)
    {
        if (!_byEntity.TryGetValue(entity, out var targets))
            _byEntity.Add(entity, targets = []);
        targets.Add(target);
        _all.Add(target);
    }

    public List<TTarget> Of(object entity) => _byEntity.TryGetValue(entity, out var targets) ? targets : [];
}
