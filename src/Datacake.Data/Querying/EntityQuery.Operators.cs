using System.Linq.Expressions;
using Datacake.Data.Expressions;
using Datacake.Data.Querying.Operators;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Snapshots;

namespace Datacake.Data.Querying;

// Members of the query for entities that the operators after it call.
sealed partial class EntityQuery<T>
{
    internal override async ValueTask<StoreSnapshot?> OpenSnapshotAsync(CancellationToken cancellationToken)
    {
        if (settings.Snapshot is not null)
            return null;
        var store = await source.Context.GetStoreAsync(cancellationToken).ConfigureAwait(false);
        if (settings.Level is { } level)
            await store.CatchUpAsync(level, cancellationToken).ConfigureAwait(false);
        return await store.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
    }

    // Neither tracked entities nor other properties are needed.
    internal override Query<T> ForUse(IReadOnlyList<ItemExpression> uses) => ElementAnalysis.Of(uses) is { } parts
        ? new EntityQuery<T>(source, WithComponents(parts), settings with { IsTracking = false })
        : this;

    // An index that is still being built does not count, because it would cost one scan for each batch of keys.
    internal override bool CanLookUp(ItemExpression key) => !spec.IsCut && !spec.SkipsUnreadable
        && PropertyPath.Of(Unconverted(key.Body), key.Item) is { } path && !path.Contains('.')
        && source.Model.FindProperty(path) is { OrderedCodec: not null, Kind: not PropertyKind.Set } property
        && (source.Model.Key[0] == property
            || source.Model.Indexes.Any(index => index.DerivedType is null && index.Properties[0] == path && settings.Snapshot?.HasIndex(source.Name, index.Name) == true));

    internal override IAsyncEnumerable<IReadOnlyList<(TKey Key, T Item)>> RunKeyedAsync<TKey>(
        Expression<Func<T, TKey>> keySelector, CancellationToken cancellationToken)
    {
        if (UsesRelated(keySelector))
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

    internal override Query<T> ReverseCore() => spec.IsCut
        ? base.ReverseCore()
        : With(spec with { IsReversed = !spec.IsReversed, Orderings = [.. spec.Orderings.Select(ordering => ordering.Reversed())] });

    static Expression Unconverted(Expression key)
    {
        while (key is UnaryExpression { NodeType: ExpressionType.Convert, Method: null } convert)
            key = convert.Operand;
        return key;
    }
}
