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
