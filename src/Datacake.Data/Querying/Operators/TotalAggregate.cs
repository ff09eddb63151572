using System.Linq.Expressions;
using System.Numerics;
using Datacake.Data.Querying.Analysis;

namespace Datacake.Data.Querying.Operators;

/// <summary>The sum of a value of the elements of a group, or what follows from it and their number.</summary>
sealed class TotalAggregate<TElement, TValue, TSum> : GroupAggregate<TElement>
    where TValue : INumberBase<TValue>
    where TSum : INumberBase<TSum>
{
    readonly Func<TElement, TValue> _valueOf;
    readonly Func<(TSum Sum, long Count), object> _result;

    public TotalAggregate(Expression<Func<TElement, TValue>> of, CompiledExpressions expressions, Func<(TSum Sum, long Count), object> result)
    {
        _valueOf = expressions.Compile(of);
        _result = result;
        Uses = [ItemExpression.Of(of)];
    }

    public override bool DependsOnOrder => typeof(TSum) == typeof(double);

    public override IAccumulator<TElement> Start() => new Accumulator(this);

    sealed class Accumulator(TotalAggregate<TElement, TValue, TSum> aggregate) : IAccumulator<TElement>
    {
        TSum _sum = TSum.Zero;
        long _count;

        public object Result => aggregate._result((_sum, _count));

        public void Add(TElement element, long count)
        {
            var value = TSum.CreateChecked(aggregate._valueOf(element));
            _count += count;
            // Each addition of floating-point numbers is rounded, so that a product may differ.
            if (aggregate.DependsOnOrder)
            {
                for (; count > 0; count--)
                    _sum += value;
            }
            else
            {
                _sum += count == 1 ? value : value * TSum.CreateChecked(count);
            }
        }
    }
}
