using System.Linq.Expressions;
using Datacake.Data.Metadata;

namespace Datacake.Data.Querying;

/// <summary>Related entities that come with the results of a query.</summary>
abstract class Inclusion<T>
    where T : class
{
    /// <summary>Loads what belongs to a batch of results, and hangs it on them.</summary>
    public abstract Task LoadAsync(DatacakeContext context, IReadOnlyList<T> batch, bool isTracking, CancellationToken cancellationToken);

    /// <summary>A delegate that sets the property which an expression names.</summary>
    protected static Action<T, TProperty> SetterOf<TProperty>(Expression<Func<T, TProperty>> navigation)
    {
        if (navigation.Body is not MemberExpression { Member: System.Reflection.PropertyInfo { CanWrite: true } })
        {
            throw new ArgumentException(
                $"'{navigation.Body}' is not a property that can be set. Write p => p.Customer, and mark that property with [Ignore].", nameof(navigation));
        }
        var value = Expression.Parameter(typeof(TProperty));
        return Expression.Lambda<Action<T, TProperty>>(
            Expression.Assign(navigation.Body, value), navigation.Parameters[0], value).Compile();
    }
}

/// <summary>The one entity that each result refers to.</summary>
sealed class ReferenceInclusion<T, TRelated, TKey>(
    Keyspace<T> source, Expression<Func<T, TRelated?>> navigation, Expression<Func<T, TKey>> foreignKey) : Inclusion<T>
    where T : class
    where TRelated : class
{
    readonly Action<T, TRelated?> _set = SetterOf(navigation);
    readonly Func<T, TKey> _key = source.Expressions.Compile(foreignKey);

    public override string ToString() => $"include {PropertyPath.Of(navigation.Body, navigation.Parameters[0])} by key";

    public override async Task LoadAsync(DatacakeContext context, IReadOnlyList<T> batch, bool isTracking, CancellationToken cancellationToken)
    {
        var (keyspace, model) = context.KeyspaceOf<TRelated>();
        using var operation = context.Concurrency.Enter();
        var store = await context.GetStoreAsync(cancellationToken).ConfigureAwait(false);
        using var snapshot = await store.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        var found = new Dictionary<object, TRelated?>();
        foreach (var item in batch)
        {
            if (_key(item) is not { } value)
            {
                _set(item, null);
                continue;
            }
            if (!found.TryGetValue(value, out var related))
            {
                related = await LoadAsync(model.KeyOf([value])).ConfigureAwait(false);
                found.Add(value, related);
            }
            _set(item, related);
        }

        async ValueTask<TRelated?> LoadAsync(EventualConsistency.DocumentKey key)
        {
            var document = await snapshot.GetAsync(keyspace.Name, key, cancellationToken).ConfigureAwait(false);
            if (document is null)
                return null;
            var entity = model.Read(key, document);
            return isTracking ? context.ChangeTracker.TrackRead(keyspace, key, document, entity) : entity;
        }
    }
}

/// <summary>The entities that refer to each result.</summary>
sealed class CollectionInclusion<T, TRelated, TKey>(
    Keyspace<T> source, Expression<Func<T, ICollection<TRelated>?>> navigation, Expression<Func<TRelated, TKey>> foreignKey) : Inclusion<T>
    where T : class
    where TRelated : class
{
    readonly Func<T, ICollection<TRelated>?> _collection = source.Expressions.Compile(navigation);

    public override string ToString() =>
        $"include {PropertyPath.Of(WithoutConversion, navigation.Parameters[0])} by {PropertyPath.Of(foreignKey.Body, foreignKey.Parameters[0])}";

    Expression WithoutConversion => navigation.Body is UnaryExpression { NodeType: ExpressionType.Convert } convert ? convert.Operand : navigation.Body;

    public override async Task LoadAsync(DatacakeContext context, IReadOnlyList<T> batch, bool isTracking, CancellationToken cancellationToken)
    {
        var (keyspace, model) = context.KeyspaceOf<TRelated>();
        var keyOf = model.Expressions.Compile(foreignKey);
        var keys = batch.Select(item => (TKey)source.Model.Key[0].GetValue(item)!).Distinct().ToList();
        Expression<Func<TKey, bool>> isAmong = key => keys.Contains(key);
        var body = new Replacement(isAmong.Parameters[0], foreignKey.Body).Visit(isAmong.Body);
        var contains = Expression.Lambda<Func<TRelated, bool>>(body, foreignKey.Parameters);
        var query = new EntityQuery<TRelated>(
            new Keyspace<TRelated>(context, keyspace, model), new QuerySpec<TRelated>().Where(contains), isTracking);
        var related = (await query.ToListAsync(cancellationToken).ConfigureAwait(false)).ToLookup(keyOf);
        foreach (var item in batch)
        {
            var collection = _collection(item) ?? throw new InvalidOperationException(
                $"The collection '{navigation.Body}' is null, so nothing can be included in it. Give it an initializer: = [];");
            collection.Clear();
            foreach (var each in related[(TKey)source.Model.Key[0].GetValue(item)!])
                collection.Add(each);
        }
    }
}

/// <summary>Puts an expression where another one has a parameter.</summary>
sealed class Replacement(ParameterExpression parameter, Expression replacement) : ExpressionVisitor
{
    protected override Expression VisitParameter(ParameterExpression node) => node == parameter ? replacement : node;
}
