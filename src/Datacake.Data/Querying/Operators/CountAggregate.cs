using System.Linq.Expressions;
using Datacake.Data.Querying.Analysis;

namespace Datacake.Data.Querying.Operators;

/// <summary>The number of the elements of a group, or of those that satisfy a condition.</summary>
sealed class CountAggregate<TElement> : GroupAggregate<TElement>
{
    readonly Func<TElement, bool>? _predicate;
    readonly Func<long, object> _result;

    public CountAggregate(Expression<Func<TElement, bool>>? predicate, CompiledExpressions expressions, Func<long, object> result)
    {
        _predicate = predicate is null ? null : expressions.Compile(predicate);
        _result = result;
        Uses = predicate is null ? [] : [ItemExpression.Of(predicate)];
    }

    public override IAccumulator<TElement> Start() => new Accumulator(this);

    sealed class Accumulator(CountAggregate<TElement> aggregate) : IAccumulator<TElement>
    {
        long _count;

        public object Result => aggregate._result(_count);

        public void Add(TElement element, long count) => _count += aggregate._predicate is null || aggregate._predicate(element) ? count : 0;
    }
}
