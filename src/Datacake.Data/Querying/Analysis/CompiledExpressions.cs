using System.Linq.Expressions;
using Datacake.Data.Querying.Planning;

namespace Datacake.Data.Querying.Analysis;

/// <summary>
/// The compiled delegates of query expressions, one for each shape. Compiling an expression costs far more than a query by key.
/// Thread-safe.
/// </summary>
/// <param name="entity">The model of the class that the queries start from.</param>
sealed class CompiledExpressions(EntityModel entity)
{
    /// <summary>Gets the model of the class that the queries start from.</summary>
    public EntityModel Entity => entity;

    readonly BoundedCache<ExpressionShape, Delegate> _byShape = new();

    /// <summary>Gets the number of cached shapes.</summary>
    public int Count => _byShape.Count;

    /// <summary>
    /// Compiles an expression over an item. If the expression dereferences null or casts to the wrong class, the exception names the
    /// expression.
    /// </summary>
    public Func<T, TResult> Compile<T, TResult>(Expression<Func<T, TResult>> lambda)
    {
        var (compiled, constants) = Parameterized(lambda);
        return item =>
        {
            try
            {
                return compiled(constants, item);
            }
            catch (NullReferenceException e)
            {
                throw new InvalidOperationException(
                    $"The expression '{ExpressionText.Of(lambda.Body)}' of a query dereferenced null. Query expressions behave as in C#. "
                        + "Check for null first, as in p => p.Address != null && p.Address.City == city.",
                    e);
            }
            catch (InvalidCastException e)
            {
                throw new InvalidOperationException(
                    $"The expression '{ExpressionText.Of(lambda.Body)}' of a query made an invalid cast. Query expressions behave as in C#. "
                        + "Restrict the query to the class first, as in OfType<Truck>().Where(t => t.Load > 5) or v => v is Truck && ((Truck)v).Load > 5.",
                    e);
            }
        };
    }

    /// <summary>Compiles a delegate that sets the property that an expression names.</summary>
    public Action<T, TProperty> CompileSetter<T, TProperty>(Expression<Func<T, TProperty>> property)
    {
        var value = Expression.Parameter(typeof(TProperty));
        var setter = Expression.Lambda<Action<T, TProperty>>(Expression.Assign(property.Body, value), property.Parameters[0], value);
        if (ExpressionShape.Of(setter) is not (var shape, []))
            return setter.Compile();
        return (Action<T, TProperty>)(_byShape.TryGet(shape, out var known) ? known : Keep(shape, setter.Compile()));
    }

    /// <summary>Returns the value of an expression that has no parameters.</summary>
    public object? Evaluate(Expression expression)
    {
        var boxed = Expression.Convert(expression, typeof(object));
        if (ExpressionShape.Of(boxed) is not var (shape, constants))
            return Expression.Lambda<Func<object?>>(boxed).Compile(preferInterpretation: true)();
        if (!_byShape.TryGet(shape, out var known))
        {
            var array = Expression.Parameter(typeof(object?[]));
            known = Keep(shape, Expression.Lambda<Func<object?[], object?>>(ExpressionShape.Parameterize(boxed, array), array).Compile());
        }
        return ((Func<object?[], object?>)known)(constants);
    }

    (Func<object?[], T, TResult> Compiled, object?[] Constants) Parameterized<T, TResult>(Expression<Func<T, TResult>> lambda)
    {
        if (ExpressionShape.Of(lambda) is not var (shape, constants))
        {
            var compiled = Expression.Lambda<Func<T, TResult>>(NullGuard.Apply(lambda.Body), lambda.Parameters).Compile();
            return ((_, item) => compiled(item), []);
        }
        if (!_byShape.TryGet(shape, out var known))
        {
            var array = Expression.Parameter(typeof(object?[]));
            var body = NullGuard.Apply(ExpressionShape.Parameterize(lambda.Body, array));
            known = Keep(shape, Expression.Lambda<Func<object?[], T, TResult>>(body, array, lambda.Parameters[0]).Compile());
        }
        return ((Func<object?[], T, TResult>)known, constants);
    }

    Delegate Keep(ExpressionShape shape, Delegate compiled)
    {
        _byShape.Add(shape, compiled);
        return compiled;
    }
}
