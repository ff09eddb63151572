using System.Linq.Expressions;
using Datacake.Data.Expressions;

namespace Datacake.Data.Querying.Including;

/// <summary>An inclusion of the entity that each entity refers to, in a relation that only the query declares.</summary>
sealed record ReferenceInclusion<T, TRelated, TKey> : Inclusion<T, TRelated>
    where T : class
    where TRelated : class
{
    readonly Action<T, TRelated?> _set;
    readonly Func<T, TKey> _key;
    readonly Func<T, object?>? _owner;    // returns the owned object that has the property; null if the entity itself has it

    /// <exception cref="ArgumentException">The first expression is not a property with a setter.</exception>
    public ReferenceInclusion(EntityModel model, Expression<Func<T, TRelated?>> navigation, Expression<Func<T, TKey>> foreignKey)
    {
        if (navigation.Body is not MemberExpression { Member: System.Reflection.PropertyInfo { CanWrite: true } })
        {
            throw new ArgumentException(
                $"'{navigation.Body}' is not a property with a setter. Write an expression such as p => p.Customer, and mark that property with [Ignore].", nameof(navigation));
        }
        var owner = ((MemberExpression)navigation.Body).Expression!;
        if (!PropertyPath.IsParameter(owner, navigation.Parameters[0]))
            _owner = model.Expressions.Compile(Expression.Lambda<Func<T, object?>>(OrNull(owner), navigation.Parameters));
        _set = model.Expressions.CompileSetter(navigation);
        _key = model.Expressions.Compile(foreignKey);
        Navigation = PropertyPath.Of(navigation.Body, navigation.Parameters[0]) ?? navigation.Body.ToString();
    }

    /// <summary>Makes a path return null if an object on it is null.</summary>
    static Expression OrNull(Expression path) => path is MemberExpression { Expression: { Type.IsValueType: false } owner } member
        ? Expression.Condition(
            Expression.Equal(OrNull(owner), Expression.Constant(null)), Expression.Constant(null, typeof(object)), Expression.Convert(member, typeof(object)))
        : path;

    public override string Navigation { get; }

    public override string Name => $"include {Navigation} by key";

    protected override async Task<IReadOnlyList<TRelated>> LoadRelatedAsync(
        QuerySource source, IReadOnlyList<T> batch, CancellationToken cancellationToken)
    {
        var context = source.Context;
        var (keyspace, model) = context.Model.KeyspaceOf<TRelated>();
        using var operation = context.Concurrency.Enter();
        using var own = await source.Settings.OpenSnapshotAsync(context, cancellationToken).ConfigureAwait(false);
        var snapshot = own ?? source.Settings.Snapshot!;
        var found = new Dictionary<object, TRelated?>();
        foreach (var item in batch)
        {
            if (_owner is not null && _owner(item) is null)
                continue;
            if (_key(item) is not { } value)
            {
                _set(item, null);
                continue;
            }
            if (!found.TryGetValue(value, out var related))
            {
                related = model.FindKey([value]) is { } key ? await LoadAsync(key).ConfigureAwait(false) : null;
                found.Add(value, related);
            }
            _set(item, related);
        }
        return [.. found.Values.OfType<TRelated>()];

        async ValueTask<TRelated?> LoadAsync(EventualConsistency.DocumentKey key)
        {
            var document = await snapshot.GetAsync(keyspace.Name, key, cancellationToken).ConfigureAwait(false);
            if (document is null)
                return null;
            var entity = model.Read(key, document);
            if (!source.Filtering.IsShown(model, entity))
                return null;
            return RelatedSource.Of(source, snapshot).Take(keyspace, key, document, entity);
        }
    }
}
