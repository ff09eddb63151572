using System.Linq.Expressions;
using System.Numerics;
using Datacake.Data.Querying.Analysis;

namespace Datacake.Data.Querying.Operators;

/// <summary>An aggregate of the elements of a group, such as their number or a sum, that is computed without keeping them.</summary>
abstract class GroupAggregate<TElement>
{
    /// <summary>Gets the expressions over an element that the aggregate uses.</summary>
    public IReadOnlyList<ItemExpression> Uses { get; protected init; } = [];

    /// <summary>True if the aggregate depends on the order of the elements, because floating-point numbers are rounded.</summary>
    public virtual bool DependsOnOrder => false;

    /// <summary>Returns the aggregate of a new group.</summary>
    public abstract IAccumulator<TElement> Start();

    /// <summary>Returns the aggregate that a method of <see cref="Enumerable"/> computes from a group; null if it is not known.</summary>
    public static GroupAggregate<TElement>? Of(MethodCallExpression call, CompiledExpressions expressions)
    {
        var lambda = call.Arguments.Count == 2 ? call.Arguments[1] as LambdaExpression : null;
        if (call.Arguments.Count > 1 && lambda is not { Parameters: [_] })
            return null;
        return (call.Method.Name, lambda) switch
        {
            (nameof(Enumerable.Count), null or Expression<Func<TElement, bool>>) => new CountAggregate<TElement>(lambda as Expression<Func<TElement, bool>>, expressions, static count => checked((int)count)),
            (nameof(Enumerable.LongCount), null or Expression<Func<TElement, bool>>) => new CountAggregate<TElement>(lambda as Expression<Func<TElement, bool>>, expressions, static count => count),
            (nameof(Enumerable.Sum), Expression<Func<TElement, int>> of) => Total<int, Int128>(of, static total => int.CreateChecked(total.Sum)),
            (nameof(Enumerable.Sum), Expression<Func<TElement, long>> of) => Total<long, Int128>(of, static total => long.CreateChecked(total.Sum)),
            (nameof(Enumerable.Sum), Expression<Func<TElement, double>> of) => Total<double, double>(of, static total => total.Sum),
            (nameof(Enumerable.Sum), Expression<Func<TElement, decimal>> of) => Total<decimal, decimal>(of, static total => total.Sum),
            (nameof(Enumerable.Average), Expression<Func<TElement, int>> of) => Total<int, Int128>(of, static total => (double)total.Sum / total.Count),
            (nameof(Enumerable.Average), Expression<Func<TElement, long>> of) => Total<long, Int128>(of, static total => (double)total.Sum / total.Count),
            (nameof(Enumerable.Average), Expression<Func<TElement, double>> of) => Total<double, double>(of, static total => total.Sum / total.Count),
            (nameof(Enumerable.Average), Expression<Func<TElement, decimal>> of) => Total<decimal, decimal>(of, static total => total.Sum / total.Count),
            (nameof(Enumerable.Min), Expression<Func<TElement, int>> of) => Extreme(of, isGreatest: false),
            (nameof(Enumerable.Min), Expression<Func<TElement, long>> of) => Extreme(of, isGreatest: false),
            (nameof(Enumerable.Min), Expression<Func<TElement, decimal>> of) => Extreme(of, isGreatest: false),
            (nameof(Enumerable.Min), Expression<Func<TElement, DateTime>> of) => Extreme(of, isGreatest: false),
            (nameof(Enumerable.Max), Expression<Func<TElement, int>> of) => Extreme(of, isGreatest: true),
            (nameof(Enumerable.Max), Expression<Func<TElement, long>> of) => Extreme(of, isGreatest: true),
            (nameof(Enumerable.Max), Expression<Func<TElement, decimal>> of) => Extreme(of, isGreatest: true),
            (nameof(Enumerable.Max), Expression<Func<TElement, DateTime>> of) => Extreme(of, isGreatest: true),
            _ => null,
        };

        TotalAggregate<TElement, TValue, TSum> Total<TValue, TSum>(Expression<Func<TElement, TValue>> of, Func<(TSum Sum, long Count), object> result)
            where TValue : INumberBase<TValue>
            where TSum : INumberBase<TSum> => new(of, expressions, result);

        ExtremeAggregate<TElement, TValue> Extreme<TValue>(Expression<Func<TElement, TValue>> of, bool isGreatest)
            where TValue : struct, IComparable<TValue> => new(of, expressions, isGreatest);
    }
}

/// <summary>The aggregate of one group while its elements are read.</summary>
interface IAccumulator<in TElement>
{
    /// <summary>Gets the aggregate of the elements that were added.</summary>
    object Result { get; }

    void Add(TElement element);
}

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

        public void Add(TElement element) => _count += aggregate._predicate is null || aggregate._predicate(element) ? 1 : 0;
    }
}

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

        public void Add(TElement element)
        {
            _sum += TSum.CreateChecked(aggregate._valueOf(element));
            _count++;
        }
    }
}

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

        public void Add(TElement element)
        {
            var value = aggregate._valueOf(element);
            if (_found is not { } found || (aggregate._isGreatest ? value.CompareTo(found) > 0 : value.CompareTo(found) < 0))
                _found = value;
        }
    }
}
