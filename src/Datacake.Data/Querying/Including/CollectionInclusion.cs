using System.Linq.Expressions;
using Datacake.Data.Expressions;

namespace Datacake.Data.Querying.Including;

/// <summary>An inclusion of the entities that refer to each entity, in a relation that only the query declares.</summary>
sealed record CollectionInclusion<T, TRelated, TKey> : Inclusion<T, TRelated>
    where T : class
    where TRelated : class
{
    readonly PropertyModel _key;
    readonly Expression<Func<TRelated, TKey>> _foreignKey;
    readonly Func<T, ICollection<TRelated>?> _collection;

    /// <exception cref="InvalidOperationException">The foreign key cannot hold the key of the entities.</exception>
    public CollectionInclusion(
        EntityModel model, Expression<Func<T, ICollection<TRelated>?>> navigation, Expression<Func<TRelated, TKey>> foreignKey)
    {
        _key = UndeclaredRelation.KeyFor(model, foreignKey);
        _foreignKey = foreignKey;
        _collection = model.Expressions.Compile(navigation);
        var collection = navigation.Body is UnaryExpression { NodeType: ExpressionType.Convert } convert ? convert.Operand : navigation.Body;
        Navigation = PropertyPath.Of(collection, navigation.Parameters[0]) ?? collection.ToString();
        Name = $"include {Navigation} by {PropertyPath.Of(foreignKey.Body, foreignKey.Parameters[0]) ?? foreignKey.Body.ToString()}";
    }

    public override string Navigation { get; }

    public override string Name { get; }

    protected override async Task<IReadOnlyList<TRelated>> LoadRelatedAsync(
        QuerySource source, IReadOnlyList<T> batch, CancellationToken cancellationToken)
    {
        var context = source.Context;
        var (keyspace, model) = context.Model.KeyspaceOf<TRelated>();
        var keys = batch.Select(KeyOf).Distinct().ToList();
        Expression<Func<TKey, bool>> isAmong = key => keys.Contains(key);
        var body = new ParameterReplacement(isAmong.Parameters[0], _foreignKey.Body).Visit(isAmong.Body);
        var refersToOne = Expression.Lambda<Func<TRelated, bool>>(body, _foreignKey.Parameters);
        var query = new EntityOperator<TRelated>(
            new EntitySource<TRelated>(context, keyspace, model), new QuerySpec<TRelated>().Where(refersToOne), source.Settings with { Tags = [], Level = null });
        var related = await query.ToListAsync(cancellationToken).ConfigureAwait(false);
        var byKey = related.ToLookup(model.Expressions.Compile(_foreignKey));
        foreach (var item in batch)
        {
            var collection = _collection(item) ?? throw new InvalidOperationException(
                $"The collection '{Navigation}' is null, so nothing can be included in it. Give it the initializer '= [];'.");
            collection.Clear();
            foreach (var each in byKey[KeyOf(item)])
                collection.Add(each);
        }
        return related;
    }

    TKey KeyOf(T entity) => (TKey)_key.GetValue(entity)!;
}
