namespace Datacake.Data.Querying.Planning;

/// <summary>
/// A cache of query plans by shape: the compared properties and the kinds of comparison, the classes of the entities, and the orderings,
/// but not the values. Choosing a plan costs more than reading by one. Thread-safe.
/// </summary>
/// <remarks>A plan depends on the model alone. Each run checks whether the indexes can be read, because that changes.</remarks>
sealed class PlanCache
{
    readonly BoundedCache<PlanShape, AccessPath> _plans = new();

    /// <summary>Gets the number of cached plans.</summary>
    public int Count => _plans.Count;

    /// <summary>Returns the plan that <see cref="QueryPlanner.Plan"/> would choose.</summary>
    public AccessPath Plan(
        EntityModel entity, IReadOnlyList<IReadOnlyList<Condition>> alternatives, IReadOnlyList<OrderingColumn> orderings)
    {
        if (PlanShape.Of(alternatives, orderings) is not { } shape)
            return QueryPlanner.Plan(entity, alternatives, orderings);
        if (_plans.TryGet(shape, out var known) && QueryPlanner.TryRebind(entity, known, alternatives[0], out var rebound))
            return rebound;
        var path = QueryPlanner.Plan(entity, alternatives, orderings);
        if (path is KeyScan or KeyLookup or IndexScan && path.IsExact)
            _plans.Add(shape, path);
        return path;
    }
}

/// <summary>The parts of a query on which its plan depends, for conditions whose values do not affect the plan.</summary>
sealed class PlanShape : IEquatable<PlanShape>
{
    readonly (object Of, ConditionKind Kind)[] _conditions;
    readonly IReadOnlyList<OrderingColumn> _orderings;
    readonly int _hash;

    PlanShape((object Of, ConditionKind Kind)[] conditions, IReadOnlyList<OrderingColumn> orderings)
    {
        _conditions = conditions;
        _orderings = orderings;
        var hash = new HashCode();
        foreach (var condition in conditions)
            hash.Add(condition);
        foreach (var ordering in orderings)
            hash.Add(ordering);
        _hash = hash.ToHashCode();
    }

    /// <summary>Returns the shape of conditions that are joined by and, each with one value; null for other conditions.</summary>
    public static PlanShape? Of(IReadOnlyList<IReadOnlyList<Condition>> alternatives, IReadOnlyList<OrderingColumn> orderings)
    {
        if (alternatives is not [var conditions])
            return null;
        var compared = new (object Of, ConditionKind Kind)[conditions.Count];
        for (int i = 0; i < compared.Length; i++)
        {
            // Null has no order among the values, and a list may be empty, or too long for ranges.
            if (conditions[i].Values is not [not null])
                return null;
            compared[i] = (conditions[i].Type as object ?? conditions[i].Property, conditions[i].Kind);
        }
        return new PlanShape(compared, orderings);
    }

    public bool Equals(PlanShape? other)
    {
        if (other is null || _hash != other._hash || _conditions.Length != other._conditions.Length || _orderings.Count != other._orderings.Count)
            return false;
        for (int i = 0; i < _conditions.Length; i++)
        {
            if (!ReferenceEquals(_conditions[i].Of, other._conditions[i].Of) || _conditions[i].Kind != other._conditions[i].Kind)
                return false;
        }
        for (int i = 0; i < _orderings.Count; i++)
        {
            if (_orderings[i] != other._orderings[i])
                return false;
        }
        return true;
    }

    public override bool Equals(object? obj) => Equals(obj as PlanShape);

    public override int GetHashCode() => _hash;
}
