using System.Linq.Expressions;

namespace Datacake.Data.Querying.Operators;

/// <summary>
/// An expression node that lists the expressions that are used over the elements of a sequence. It serves the analysis of queries that
/// flatten sequences and is never compiled.
/// </summary>
sealed class FlattenUse(Expression sequence, ParameterExpression element, IReadOnlyList<Expression> uses) : Expression
{
    public Expression Sequence => sequence;

    /// <summary>Gets the parameter that stands for an element.</summary>
    public ParameterExpression Element => element;

    /// <summary>Gets the expressions over each element.</summary>
    public IReadOnlyList<Expression> Uses => uses;

    public override ExpressionType NodeType => ExpressionType.Extension;

    public override Type Type => typeof(void);

    protected override Expression VisitChildren(ExpressionVisitor visitor) =>
        new FlattenUse(visitor.Visit(sequence), element, [.. uses.Select(visitor.Visit).OfType<Expression>()]);
}
