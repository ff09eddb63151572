using System.Linq.Expressions;
using Datacake.Data.Querying.Analysis;

namespace Datacake.Data.Querying.Operators;

/// <summary>The smallest or greatest value of the elements of a group.</summary>
sealed class ExtremeAggregate<TElement, TValue> : GroupAggregate<TElement>
    where TValue : struct, IComparable<TValue>
{
    readonly Func<TElement, TValue> _valueOf;
    readonly bool _isGreatest;

    public ExtremeAggregate(Expression<Func<TElement, TValue>> of, CompiledExpressions expressions, bool isGreatest)
    {
        _valueOf = expressions.Compile(of);
        _isGreatest = isGreatest;
        Uses = [ItemExpression.Of(of)];
    }

    public override IAccumulator<TElement> Start() => new Accumulator(this);

    sealed class Accumulator(ExtremeAggregate<TElement, TValue> aggregate) : IAccumulator<TElement>
    {
        TValue? _found;

        // A group is never empty.
        public object Result => _found!.Value;

        public void Add(TElement element, long count)
        {
            var value = aggregate._valueOf(element);
            if (_found is not { } found || (aggregate._isGreatest ? value.CompareTo(found) > 0 : value.CompareTo(found) < 0))
                _found = value;
        }
    }
}
