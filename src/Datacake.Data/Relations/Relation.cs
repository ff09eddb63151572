using System.Linq.Expressions;
using Datacake.Data.Metadata;
using Datacake.Data.Querying;
using Datacake.EventualConsistency;

namespace Datacake.Data;

/// <summary>A relation whose dependent entities are deleted with the entity that they refer to.</summary>
abstract class Relation
{
    /// <summary>The class that is referred to.</summary>
    public abstract EntityModel Principal { get; }

    /// <summary>The property that is the key of a class, which a foreign key holds the value of.</summary>
    /// <exception cref="InvalidOperationException">The key has several properties, or another type.</exception>
    public static PropertyModel KeyFor(EntityModel principal, LambdaExpression foreignKey)
    {
        if (principal.Key is not [var key])
            throw new InvalidOperationException($"The key of {principal.Name} has several properties, and a single one cannot refer to it.");
        var type = foreignKey.Body.Type;
        return (Nullable.GetUnderlyingType(type) ?? type) == key.Type
            ? key
            : throw new InvalidOperationException(
                $"'{foreignKey}' is of type {type.Name}, and the key {key.Name} of {principal.Name}, which it refers to, of type {key.Type.Name}. "
                + "Give both the same type.");
    }

    /// <summary>Removes the entities, tracked or only stored, that refer to a removed one.</summary>
    public abstract Task RemoveDependentsAsync(
        DatacakeContext context, StoreSnapshot snapshot, EntityEntry principal, CancellationToken cancellationToken);
}

sealed class Relation<TDependent, TKey>(
    EntityModel principal, KeyspaceModel dependents, EntityModel<TDependent> model, Expression<Func<TDependent, TKey>> foreignKey) : Relation
    where TDependent : class
{
    public override EntityModel Principal => principal;

    public override async Task RemoveDependentsAsync(
        DatacakeContext context, StoreSnapshot snapshot, EntityEntry removed, CancellationToken cancellationToken)
    {
        object? key = principal.Key[0].GetValue(removed.Entity);
        var isDependent = Expression.Lambda<Func<TDependent, bool>>(
            Expression.Equal(foreignKey.Body, Expression.Constant(key, typeof(TKey))), foreignKey.Parameters);
        var run = new QueryRun<TDependent>(dependents, model, new QuerySpec<TDependent>().Where(isDependent));
        var tracker = context.ChangeTracker;
        await foreach (var rows in run.ReadAsync(snapshot, cancellationToken).ConfigureAwait(false))
        {
            foreach (var row in rows)
                tracker.TrackRead(dependents, row.Key, row.Document, row.Entity);
        }
        // As they are now: one that was pointed elsewhere stays, and one that was never saved goes.
        foreach (var entry in tracker.Tracked<TDependent>())
        {
            if (entry.CurrentState != EntityState.Deleted && run.Matches(entry.Entity))
                tracker.Remove(entry);
        }
    }
}
