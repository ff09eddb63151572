using System.Linq.Expressions;

namespace Datacake.Data.Querying;

/// <summary>
/// Says of which elements of a sequence expressions are used, for the analysis of queries that flatten sequences. It is never compiled.
/// </summary>
sealed class FlattenUse(Expression sequence, ParameterExpression element, IReadOnlyList<Expression> uses) : Expression
{
    public Expression Sequence => sequence;

    /// <summary>The parameter that stands for an element.</summary>
    public ParameterExpression Element => element;

    /// <summary>Gets what is made of each element.</summary>
    public IReadOnlyList<Expression> Uses => uses;

    public override ExpressionType NodeType => ExpressionType.Extension;

    public override Type Type => typeof(void);

    protected override Expression VisitChildren(ExpressionVisitor visitor) =>
        new FlattenUse(visitor.Visit(sequence), element, [.. uses.Select(visitor.Visit).OfType<Expression>()]);
}
