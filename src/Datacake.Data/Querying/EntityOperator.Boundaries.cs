using Datacake.Data.Querying.Related;

namespace Datacake.Data.Querying;

// Results after or before an entity.
sealed partial class EntityOperator<T>
{
    public override QueryOperator<T> Bounded(T entity, bool isBefore)
    {
        string name = isBefore ? "Before" : "After";
        if (spec.IsCut)
            throw new InvalidOperationException($"{name} cannot follow Skip or Take. Call {name} before them.");
        if (spec.Orderings.Count == 0)
        {
            throw new InvalidOperationException(
                $"{name} needs an order, and the query for {source.Name} has none. Call OrderBy before {name}: by {source.Model.Key[0].Name} for the order of the keys.");
        }
        foreach (var ordering in spec.Orderings)
        {
            if (NavigationBinder.IsUsedIn(source.Model, ordering.KeySelector))
            {
                throw new InvalidOperationException(
                    $"{name} needs an order by properties of the {source.Model.Name} itself, and '{ordering}' uses a related entity. Order by a property of the entity, or use Skip.");
            }
        }
        return With(spec with { Boundaries = [.. spec.Boundaries, new Boundary<T>(entity, spec.Orderings, spec.IsReversed, isBefore)] });
    }

    /// <summary>Describes the boundaries of the results, and the way in which a run keeps to them.</summary>
    IEnumerable<string> ExplainBoundaries(QueryRun<T> run) => spec.Boundaries.Select(boundary =>
        $"{boundary.Name} the entity with the key {source.Model.KeyOf(boundary.Entity)}{(run.IsSought(boundary) ? run.Path is Planning.IndexScan ? " in the index" : " in the keys" : " in memory")}");
}
