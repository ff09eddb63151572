using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Linq.Expressions;
using System.Reflection;
using Datacake.Data.Querying.Operators;

namespace Datacake.Data.Querying.Analysis;

/// <summary>
/// A rewriter that makes string operations in a query independent of the machine's culture, as in databases: comparisons are ordinal unless
/// they name another comparison, and conversions of case are invariant. It also replaces a search in a span, which the compiler chooses for
/// arrays, by a search in the array, because an interpreted expression cannot use a span.
/// </summary>
sealed class OrdinalNormalizer : ExpressionVisitor
{
    static readonly MethodInfo CompareOrdinal = typeof(string).GetMethod(nameof(string.CompareOrdinal), [typeof(string), typeof(string)])!;
    static readonly MethodInfo ListContains = typeof(IList).GetMethod(nameof(IList.Contains), [typeof(object)])!;
    static readonly MethodInfo StartsWith = typeof(string).GetMethod(
        nameof(string.StartsWith), [typeof(string), typeof(StringComparison)])!;
    static readonly MethodInfo EndsWith = typeof(string).GetMethod(nameof(string.EndsWith), [typeof(string), typeof(StringComparison)])!;
    static readonly MethodInfo IndexOf = typeof(string).GetMethod(nameof(string.IndexOf), [typeof(string), typeof(StringComparison)])!;
    static readonly MethodInfo LastIndexOf = typeof(string).GetMethod(
        nameof(string.LastIndexOf), [typeof(string), typeof(StringComparison)])!;
    static readonly MethodInfo Contains = typeof(string).GetMethod(nameof(string.Contains), [typeof(string), typeof(StringComparison)])!;
    static readonly MethodInfo IndexOfFrom = typeof(string).GetMethod(nameof(string.IndexOf), [typeof(string), typeof(int), typeof(StringComparison)])!;
    static readonly MethodInfo IndexOfWithin = typeof(string).GetMethod(nameof(string.IndexOf), [typeof(string), typeof(int), typeof(int), typeof(StringComparison)])!;
    static readonly MethodInfo LastIndexOfFrom = typeof(string).GetMethod(nameof(string.LastIndexOf), [typeof(string), typeof(int), typeof(StringComparison)])!;
    static readonly MethodInfo LastIndexOfWithin = typeof(string).GetMethod(
        nameof(string.LastIndexOf), [typeof(string), typeof(int), typeof(int), typeof(StringComparison)])!;
    static readonly MethodInfo CompareBy = typeof(string).GetMethod(nameof(string.Compare), [typeof(string), typeof(string), typeof(StringComparison)])!;
    static readonly MethodInfo ToLower = typeof(string).GetMethod(nameof(string.ToLowerInvariant), [])!;
    static readonly MethodInfo ToUpper = typeof(string).GetMethod(nameof(string.ToUpperInvariant), [])!;
    static readonly ConstantExpression Ordinal = Expression.Constant(StringComparison.Ordinal);

    // The compiler builds comparisons of these types without naming their operators, so expressions look the operators up by name. A
    // trimmed application has to keep them.
    [DynamicDependency(DynamicallyAccessedMemberTypes.PublicMethods, typeof(decimal))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.PublicMethods, typeof(Guid))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.PublicMethods, typeof(DateTime))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.PublicMethods, typeof(DateTimeOffset))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.PublicMethods, typeof(DateOnly))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.PublicMethods, typeof(TimeOnly))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.PublicMethods, typeof(TimeSpan))]
    public static Expression<TDelegate> Normalize<TDelegate>(Expression<TDelegate> lambda) =>
        (Expression<TDelegate>)new OrdinalNormalizer().Visit(lambda);

    protected override Expression VisitMethodCall(MethodCallExpression node)
    {
        if (node.Method.DeclaringType == typeof(string) && Rewrite(node) is { } rewritten)
            return rewritten;
        if (OrdinalSequences.Rewrite(node) is { } ordinal)
            return base.VisitMethodCall(ordinal);
        if (node.Method.DeclaringType == typeof(MemoryExtensions) && node is { Method.Name: nameof(MemoryExtensions.Contains), Arguments: [var span, var item, ..] }
            && node.Arguments.Skip(2).All(argument => argument is ConstantExpression { Value: null }) && ArrayOf(span) is { } array)
            return Expression.Call(
                Expression.Convert(Visit(array), typeof(IList)), ListContains, Expression.Convert(Visit(item), typeof(object)));
        return base.VisitMethodCall(node);
    }

    MethodCallExpression? Rewrite(MethodCallExpression node)
    {
        switch (node)
        {
            case { Object: null, Method.Name: nameof(string.Compare), Arguments: [var a, var b] } when a.Type == typeof(string):
                return Expression.Call(CompareOrdinal, Visit(a), Visit(b));
            case { Object: { } a, Method.Name: nameof(string.CompareTo), Arguments: [var b] }:
                return Expression.Call(CompareOrdinal, Visit(a), b.Type == typeof(string) ? Visit(b) : Expression.Convert(Visit(b), typeof(string)));
            case { Object: null, Method.Name: nameof(string.Compare), Arguments: [var a, var b, var ignoreCase] } when ignoreCase.Type == typeof(bool):
                var comparison = Expression.Condition(Visit(ignoreCase), Expression.Constant(StringComparison.OrdinalIgnoreCase), Ordinal);
                return Expression.Call(CompareBy, Visit(a), Visit(b), comparison);
            case { Object: { } a, Method.Name: nameof(string.IndexOf), Arguments: [var b, var from] } when b.Type == typeof(string) && from.Type == typeof(int):
                return Expression.Call(Visit(a), IndexOfFrom, Visit(b), Visit(from), Ordinal);
            case { Object: { } a, Method.Name: nameof(string.IndexOf), Arguments: [var b, var from, var count] } when b.Type == typeof(string) && count.Type == typeof(int):
                return Expression.Call(Visit(a), IndexOfWithin, Visit(b), Visit(from), Visit(count), Ordinal);
            case { Object: { } a, Method.Name: nameof(string.LastIndexOf), Arguments: [var b, var from] } when b.Type == typeof(string) && from.Type == typeof(int):
                return Expression.Call(Visit(a), LastIndexOfFrom, Visit(b), Visit(from), Ordinal);
            case { Object: { } a, Method.Name: nameof(string.LastIndexOf), Arguments: [var b, var from, var count] } when b.Type == typeof(string) && count.Type == typeof(int):
                return Expression.Call(Visit(a), LastIndexOfWithin, Visit(b), Visit(from), Visit(count), Ordinal);
            case { Object: { } a, Arguments: [var b] } when b.Type == typeof(string):
                var method = node.Method.Name switch
                {
                    nameof(string.StartsWith) => StartsWith,
                    nameof(string.EndsWith) => EndsWith,
                    nameof(string.Contains) => Contains,
                    nameof(string.IndexOf) => IndexOf,
                    nameof(string.LastIndexOf) => LastIndexOf,
                    _ => null,
                };
                return method is null ? null : Expression.Call(Visit(a), method, Visit(b), Ordinal);
            case { Object: { } a, Method.Name: nameof(string.ToLower), Arguments: [] }:
                return Expression.Call(Visit(a), ToLower);
            case { Object: { } a, Method.Name: nameof(string.ToUpper), Arguments: [] }:
                return Expression.Call(Visit(a), ToUpper);
            default:
                return null;
        }
    }

    /// <summary>Returns the array that a span is created from; null if there is none.</summary>
    static Expression? ArrayOf(Expression span) => span switch
    {
        MethodCallExpression { Method.Name: "op_Implicit", Arguments: [{ Type.IsArray: true } array] } => array,
        UnaryExpression { NodeType: ExpressionType.Convert, Operand: { Type.IsArray: true } array } => array,
        _ => null,
    };
}
