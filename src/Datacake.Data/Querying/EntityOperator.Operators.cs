using System.Linq.Expressions;
using Datacake.Data.Expressions;
using Datacake.Data.Querying.Operators;
using Datacake.EventualConsistency.Snapshots;

namespace Datacake.Data.Querying;

// Members that the operators after this one call.
sealed partial class EntityOperator<T>
{
    // Neither tracked entities nor other properties are needed.
    public override QueryOperator<T> ForUse(IReadOnlyList<ItemExpression> uses) => !uses.Any(UsesIncluded) && ElementAnalysis.Of(uses) is { } parts
        ? new EntityOperator<T>(source, WithComponents(parts), settings with { IsTracking = false })
        : this;

    public override QueryOperator<T> Unordered() => spec.IsCut || spec.IsReversed || spec.Orderings.Count > 0 ? this : With(spec with { IsUnordered = true });

    // Values that compare by reference are all different.
    public override QueryOperator<T> ForDistinct(ItemExpression value) =>
        !spec.IsCut && !spec.IsReversed && spec.Orderings.Count == 0 && (value.Body.Type.IsValueType || value.Body.Type == typeof(string)) && PropertyPath.Of(value.Body, value.Item) is { } path
            ? With(spec with { DistinctBy = path })
            : this;

    // An index that is still being built does not count, because it would cost one scan for each batch of keys.
    public override bool CanLookUp(ItemExpression key) => !spec.IsCut && !spec.SkipsUnreadable
        && PropertyPath.Of(Unconverted(key.Body), key.Item) is { } path && !path.Contains('.')
        && source.Model.FindProperty(path) is { OrderedCodec: not null, Kind: not PropertyKind.Set } property
        && (source.Model.Key[0] == property
            || source.Model.Indexes.Any(index => index.DerivedType is null && index.Properties[0] == path && settings.Snapshot?.HasIndex(source.Name, index.Name) == true));

    public override IAsyncEnumerable<IReadOnlyList<(TKey Key, T Item)>> RunKeyedAsync<TKey>(
        Expression<Func<T, TKey>> keySelector, CancellationToken cancellationToken)
    {
        if (UsesRelated(keySelector) || spec.Inclusions.Count > 0)
            return base.RunKeyedAsync(keySelector, cancellationToken);
        var key = Expressions.Compile(keySelector);
        return RunAsync<(TKey, T)>(
            rows =>
            {
                // The keys are read before tracked instances replace the stored ones.
                var keys = rows.ConvertAll(row => key(row.Entity));
                return [.. keys.Zip(Track(rows))];
            },
            entities => entities.ConvertAll(entity => (key(entity), entity)),
            cancellationToken);
    }

    public override IAsyncEnumerable<IReadOnlyList<(TKey Key, T Item, long Count)>> RunCountedAsync<TKey>(
        Expression<Func<T, TKey>> keySelector, CancellationToken cancellationToken)
    {
        if (settings.IsTracking || UsesRelated(keySelector) || spec.Inclusions.Count > 0)
            return base.RunCountedAsync(keySelector, cancellationToken);
        var key = Expressions.Compile(keySelector);
        return RunAsync<(TKey, T, long)>((run, snapshot) => ReadAsync(run, snapshot), static batch => batch.Sum(static item => item.Item3), cancellationToken);

        async IAsyncEnumerable<IReadOnlyList<(TKey, T, long)>> ReadAsync(QueryRun<T> run, StoreSnapshot snapshot)
        {
            await foreach (var batch in run.ReadCountedAsync(snapshot, cancellationToken).ConfigureAwait(false))
                yield return batch.ConvertAll(item => (key(item.Entity), item.Entity, item.Count));
        }
    }

    // A value that is stored does not need the entity.
    public override IAsyncEnumerable<IReadOnlyList<TResult>>? Project<TResult>(Expression<Func<T, TResult>> selector, CancellationToken cancellationToken)
    {
        if (spec.SkipsUnreadable || spec.DistinctBy is not null || spec.Inclusions.Count > 0 || StoredValue<T, TResult>.Of(source.Model, selector) is not { } stored)
            return null;
        var values = new EntityOperator<T>(source, WithComponents([ItemExpression.Of(selector)]), settings with { IsTracking = false });
        return values.RunAsync<TResult>((run, snapshot) => run.ReadValuesAsync(snapshot, stored, Expressions.Compile(selector), cancellationToken), static batch => batch.Count, cancellationToken);
    }

    public override QueryOperator<T> Reverse() => spec.IsCut ? base.Reverse() : With(spec.Reversed());

    static Expression Unconverted(Expression key)
    {
        while (key is UnaryExpression { NodeType: ExpressionType.Convert, Method: null } convert)
            key = convert.Operand;
        return key;
    }
}
