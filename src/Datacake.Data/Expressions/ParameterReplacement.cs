using System.Linq.Expressions;

namespace Datacake.Data.Expressions;

/// <summary>A visitor that replaces a parameter by an expression.</summary>
sealed class ParameterReplacement(ParameterExpression parameter, Expression replacement) : ExpressionVisitor
{
    /// <summary>Returns a function over a derived class as one over the entity class, which casts the entity first.</summary>
    public static Expression<Func<T, TResult>> Cast<T, TDerived, TResult>(Expression<Func<TDerived, TResult>> lambda)
    {
        var entity = Expression.Parameter(typeof(T), lambda.Parameters[0].Name);
        var cast = new ParameterReplacement(lambda.Parameters[0], Expression.Convert(entity, typeof(TDerived)));
        return Expression.Lambda<Func<T, TResult>>(cast.Visit(lambda.Body), entity);
    }

    protected override Expression VisitParameter(ParameterExpression node) => node == parameter ? replacement : node;
}
