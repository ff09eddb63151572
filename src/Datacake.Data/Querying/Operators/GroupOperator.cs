using System.Linq.Expressions;
using System.Runtime.CompilerServices;
using Datacake.Data.Querying.Analysis;
using Datacake.Data.Querying.Related;

namespace Datacake.Data.Querying.Operators;

/// <summary>The results of a query in groups with equal keys, in the order in which the keys first occur.</summary>
sealed class GroupOperator<T, TKey, TElement>(QueryOperator<T> source, Expression<Func<T, TKey>> key, Expression<Func<T, TElement>> element)
    : QueryOperator<IGrouping<TKey, TElement>>
{
    public override QueryOperator<IGrouping<TKey, TElement>> With(Func<QuerySettings, QuerySettings> change) => With(source.With(change));

    public override QueryOperator<IGrouping<TKey, TElement>> ForUse(IReadOnlyList<ItemExpression> uses)
    {
        var elements = ElementAnalysis.Of(uses, static (node, group) => node == group ? UseKind.Sequence : UseKind.None) ?? [ItemExpression.Whole<TElement>()];
        return With(source.ForUse([ItemExpression.Of(key), .. Projection.UsesOfSource(elements, element)]));
    }

    public override string Explain() => $"{source.Explain()}; group by {ExpressionText.Of(key.Body)}";

    public override QuerySource Root => source.Root;

    // A condition on the key is moved to the source.
    public override QueryOperator<IGrouping<TKey, TElement>> Where(Expression<Func<IGrouping<TKey, TElement>, bool>> predicate)
    {
        var keyed = new KeyReplacement(predicate.Parameters[0], key.Body);
        var body = keyed.Visit(predicate.Body);
        return keyed.IsGroupUsed || !SafeExpression.Is(key.Body)
            ? base.Where(predicate)
            : With(source.Where(Expression.Lambda<Func<T, bool>>(body, key.Parameters)));
    }

    public override async IAsyncEnumerable<IReadOnlyList<IGrouping<TKey, TElement>>> RunAsync(
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var own = await source.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        var items = (own is null ? source : source.At(own)).ForUse([ItemExpression.Of(key), ItemExpression.Of(element)]);
        var all = await Batches.ToListAsync(items.RunKeyedAsync(key, cancellationToken)).ConfigureAwait(false);
        if (all.Count == 0)
            yield break;
        var elementOf = await RelatedSteps.BindAsync(element, items.Root, all.ConvertAll(static item => item.Item), cancellationToken).ConfigureAwait(false);
        yield return [.. all.GroupBy(item => item.Key, item => elementOf(item.Item))];
    }

    // Groups of which nothing but aggregates is used are not created.
    public override IAsyncEnumerable<IReadOnlyList<TResult>>? Project<TResult>(Expression<Func<IGrouping<TKey, TElement>, TResult>> selector, CancellationToken cancellationToken) =>
        !UsesRelated(key) && !UsesRelated(element) && !UsesRelated(selector) && GroupAggregation<TKey, TElement, TResult>.Of(selector, Expressions) is { } aggregation
            ? AggregateAsync(aggregation, cancellationToken)
            : null;

    async IAsyncEnumerable<IReadOnlyList<TResult>> AggregateAsync<TResult>(
        GroupAggregation<TKey, TElement, TResult> aggregation, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var uses = Projection.UsesOfSource([.. aggregation.Aggregates.SelectMany(static aggregate => aggregate.Uses)], element);
        var used = source.ForUse([ItemExpression.Of(key), .. uses]);
        // Groups come in the order in which their keys first occur among the entities in the order of their keys.
        var places = typeof(T) == Root.Model.Type && !aggregation.Aggregates.Any(static aggregate => aggregate.DependsOnOrder) && used.Unordered() is var unordered && unordered != used
            ? new FirstPlaces(Root.Model) : null;
        var items = (places is null ? used : used.Unordered()).RunCountedAsync(key, cancellationToken);
        var elementOf = Expressions.Compile(element);
        var groups = new Dictionary<ValueTuple<TKey>, (int Number, IAccumulator<TElement>[] Aggregates)>();
        await foreach (var batch in items.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            foreach (var (keyOfGroup, item, count) in batch)
            {
                if (!groups.TryGetValue(new(keyOfGroup), out var group))
                    groups.Add(new(keyOfGroup), group = (groups.Count, [.. aggregation.Aggregates.Select(static aggregate => aggregate.Start())]));
                places?.Add(group.Number, item!);
                var made = elementOf(item);
                foreach (var aggregate in group.Aggregates)
                    aggregate.Add(made, count);
            }
        }
        if (groups.Count == 0)
            yield break;
        var select = Expressions.Compile(aggregation.Selector);
        var inOrder = groups.OrderBy(group => group.Value.Number, places);
        yield return [.. inOrder.Select(group => select(new AggregatedGroup<TKey>(group.Key.Item1, [.. group.Value.Aggregates.Select(static aggregate => aggregate.Result)])))];
    }

    GroupOperator<T, TKey, TElement> With(QueryOperator<T> other) => new(other, key, element);

    sealed class KeyReplacement(ParameterExpression group, Expression key) : ExpressionVisitor
    {
        public bool IsGroupUsed { get; private set; }

        protected override Expression VisitMember(MemberExpression node) =>
            node.Expression == group && node.Member.Name == nameof(IGrouping<,>.Key) ? key : base.VisitMember(node);

        protected override Expression VisitParameter(ParameterExpression node)
        {
            IsGroupUsed |= node == group;
            return node;
        }
    }
}
