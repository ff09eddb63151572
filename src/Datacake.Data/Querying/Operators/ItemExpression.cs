using System.Linq.Expressions;
using Datacake.Data.Expressions;

namespace Datacake.Data.Querying.Operators;

/// <summary>An expression that is applied to each item of a query.</summary>
/// <param name="Item">The parameter that stands for the item.</param>
/// <param name="Body">The expression.</param>
readonly record struct ItemExpression(ParameterExpression Item, Expression Body)
{
    public static ItemExpression Of(LambdaExpression lambda) => new(lambda.Parameters[0], lambda.Body);

    /// <summary>Returns the use of an item as a whole.</summary>
    public static ItemExpression Whole<T>()
    {
        var item = Expression.Parameter(typeof(T));
        return new ItemExpression(item, item);
    }

    /// <summary>Returns the expression with another one in place of the item.</summary>
    public Expression With(Expression replacement) => new ParameterReplacement(Item, replacement).Visit(Body);

    /// <summary>Returns the expression as a function of the item.</summary>
    public Expression<Func<T, TResult>> ToLambda<T, TResult>() => Expression.Lambda<Func<T, TResult>>(Body, Item);
}
