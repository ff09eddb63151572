using Datacake.EventualConsistency;

namespace Datacake.Data.Querying;

/// <summary>
/// The place of an entity in an order, which results come after or before. The values of the entity are read when the query runs. The entity need not be stored. Immutable.
/// </summary>
/// <param name="entity">The entity.</param>
/// <param name="orderings">The keys that the order consists of; entities that compare equal by these are in the order of their own keys.</param>
/// <param name="isReversed">True if entities that compare equal are in descending order of their keys.</param>
/// <param name="isBefore">True if the results come before the entity.</param>
sealed class Boundary<T>(T entity, IReadOnlyList<Ordering<T>> orderings, bool isReversed, bool isBefore)
{
    public T Entity => entity;

    public IReadOnlyList<Ordering<T>> Orderings => orderings;

    public bool IsBefore => isBefore;

    /// <summary>Gets the name of the operator.</summary>
    public string Name => isBefore ? "before" : "after";

    /// <summary>Returns the boundary in the opposite order, of which the keys are given.</summary>
    public Boundary<T> Reversed(IReadOnlyList<Ordering<T>> reversed) => new(entity, reversed, !isReversed, !isBefore);

    /// <summary>Returns the function that is true of the entities on the right side of the boundary.</summary>
    public Func<T, bool> ToPredicate(EntityModel model)
    {
        var (place, key) = (SortKey.Of(entity, orderings, last: null), model.KeyOf(entity!));
        return item =>
        {
            int order = SortKey.Of(item, orderings, last: null)!.CompareTo(place!);
            if (order == 0)
                order = isReversed ? key.CompareTo(model.KeyOf(item!)) : model.KeyOf(item!).CompareTo(key);
            return isBefore ? order < 0 : order > 0;
        };
    }
}
