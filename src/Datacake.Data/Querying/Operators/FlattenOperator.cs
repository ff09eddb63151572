using System.Linq.Expressions;
using Datacake.Data.Querying.Analysis;
using Datacake.Data.Querying.Related;

namespace Datacake.Data.Querying.Operators;

/// <summary>The results of a query, each paired with every element of one of its collections.</summary>
sealed class FlattenOperator<T, TElement>(QueryOperator<T> source, Expression<Func<T, IEnumerable<TElement>>> collection) : QueryOperator<Pair<T, TElement>>
{
    public override QueryOperator<Pair<T, TElement>> With(Func<QuerySettings, QuerySettings> change) => With(source.With(change));

    public override QueryOperator<Pair<T, TElement>> ForUse(IReadOnlyList<ItemExpression> uses)
    {
        var item = collection.Parameters[0];
        var element = Expression.Parameter(typeof(TElement));
        var ofParts = uses.SelectMany(use => new Parts(use.Item, item, element).Of(use.Body)).ToList();
        return With(source.ForUse([new ItemExpression(item, new FlattenUse(collection.Body, element, ofParts))]));
    }

    public override string Explain() => $"{source.Explain()}; each of {ExpressionText.Of(collection.Body)}";

    public override QuerySource Root => source.Root;

    public override QueryOperator<Pair<T, TElement>> Where(Expression<Func<Pair<T, TElement>, bool>> predicate)
    {
        // If the condition comes first, the collections of the items that it leaves out are not evaluated, which must make no difference.
        if (!SafeExpression.Is(collection.Body))
            return base.Where(predicate);
        var conditions = new SideConditions<Pair<T, TElement>>(predicate);
        var query = With(conditions.Push(source, Pair.IsLeft));
        return conditions.Rest is { } rest ? query.WhereInMemory(rest) : query;
    }

    public override async IAsyncEnumerable<IReadOnlyList<Pair<T, TElement>>> RunAsync(
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var own = await source.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        var items = own is null ? source : source.At(own);
        await foreach (var batch in items.RunAsync(cancellationToken).ConfigureAwait(false))
        {
            var elementsOf = await RelatedSteps.BindAsync(collection, items.Root, batch, cancellationToken).ConfigureAwait(false);
            var pairs = new List<Pair<T, TElement>>();
            foreach (var item in batch)
            {
                var elements = elementsOf(item)
                    ?? throw new InvalidOperationException(
                        $"The collection '{ExpressionText.Of(collection.Body)}' of a query is null. Leave out such results with Where, or initialize the collection.");
                pairs.AddRange(elements.Select(element => new Pair<T, TElement>(item, element)));
            }
            if (pairs.Count > 0)
                yield return pairs;
        }
    }

    FlattenOperator<T, TElement> With(QueryOperator<T> other) => new(other, collection);

    /// <summary>A visitor that converts an expression over a pair into expressions over its item and its element.</summary>
    sealed class Parts(ParameterExpression pair, ParameterExpression item, ParameterExpression element) : ExpressionVisitor
    {
        bool _isPairUsed;

        public IEnumerable<Expression> Of(Expression use)
        {
            var visited = Visit(use);
            return _isPairUsed ? [item, element] : [visited];
        }

        protected override Expression VisitMember(MemberExpression node) =>
            Pair.IsLeft(node, pair) ? item : Pair.IsRight(node, pair) ? element : base.VisitMember(node);

        protected override Expression VisitParameter(ParameterExpression node)
        {
            _isPairUsed |= node == pair;
            return node;
        }
    }
}
