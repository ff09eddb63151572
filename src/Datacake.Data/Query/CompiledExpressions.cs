using System.Collections.Concurrent;
using System.Linq.Expressions;

namespace Datacake.Data.Querying;

/// <summary>
/// Delegates of the expressions that queries are made of, compiled once for each shape: compiling costs far more than a query by key.
/// Thread-safe.
/// </summary>
sealed class CompiledExpressions
{
    // An application has so many different queries at most; if it builds more by itself, those beyond are compiled each time.
    const int MaxShapes = 4_096;

    readonly ConcurrentDictionary<ExpressionShape, Delegate> _byShape = new();

    /// <summary>How many shapes are kept.</summary>
    public int Count => _byShape.Count;

    public Func<T, TResult> Compile<T, TResult>(Expression<Func<T, TResult>> lambda)
    {
        if (ExpressionShape.Of(lambda) is not var (shape, constants))
            return lambda.Compile();
        if (!_byShape.TryGetValue(shape, out var known))
        {
            var array = Expression.Parameter(typeof(object?[]));
            var body = ExpressionShape.Parameterize(lambda.Body, array);
            known = Keep(shape, Expression.Lambda<Func<object?[], T, TResult>>(body, array, lambda.Parameters[0]).Compile());
        }
        var compiled = (Func<object?[], T, TResult>)known;
        return item => compiled(constants, item);
    }

    /// <summary>The value of an expression without parameters.</summary>
    public object? Evaluate(Expression expression)
    {
        var boxed = Expression.Convert(expression, typeof(object));
        if (ExpressionShape.Of(boxed) is not var (shape, constants))
            return Expression.Lambda<Func<object?>>(boxed).Compile(preferInterpretation: true)();
        if (!_byShape.TryGetValue(shape, out var known))
        {
            var array = Expression.Parameter(typeof(object?[]));
            known = Keep(shape, Expression.Lambda<Func<object?[], object?>>(ExpressionShape.Parameterize(boxed, array), array).Compile());
        }
        return ((Func<object?[], object?>)known)(constants);
    }

    Delegate Keep(ExpressionShape shape, Delegate compiled)
    {
        if (_byShape.Count < MaxShapes)
            _byShape.TryAdd(shape, compiled);
        return compiled;
    }
}
