using System.Linq.Expressions;

namespace Datacake.Data.Querying;

/// <summary>Writes expressions as they are in the source: a captured variable by its name, without the object that the compiler keeps it in.</summary>
sealed class CapturedVariables : ExpressionVisitor
{
    static readonly CapturedVariables Instance = new();

    public static string Describe(Expression expression) => Instance.Visit(expression).ToString();

    protected override Expression VisitMember(MemberExpression node) =>
        node.Expression is ConstantExpression ? Expression.Parameter(node.Type, node.Member.Name) : base.VisitMember(node);
}
