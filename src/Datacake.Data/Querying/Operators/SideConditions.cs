using System.Linq.Expressions;

namespace Datacake.Data.Querying.Operators;

/// <summary>
/// The parts of a condition on joined items. A part on one side alone can be moved to the query for that side. Not thread-safe.
/// </summary>
/// <remarks>A part that could throw is not moved, because it may be meant for joined items only.</remarks>
sealed class SideConditions<TPair>
{
    readonly ParameterExpression _pair;
    readonly List<Expression> _parts = [];

    public SideConditions(Expression<Func<TPair, bool>> predicate)
    {
        _pair = predicate.Parameters[0];
        Split(predicate.Body);
    }

    /// <summary>Gets the condition of the parts that were not moved; null if there are none.</summary>
    public Expression<Func<TPair, bool>>? Rest => _parts.Count == 0 ? null : Expression.Lambda<Func<TPair, bool>>(_parts.Aggregate(Expression.AndAlso), _pair);

    /// <summary>Moves the parts on one side to the query for that side.</summary>
    public QueryOperator<TSide> Push<TSide>(QueryOperator<TSide> side, Func<Expression, ParameterExpression, bool> isSide)
    {
        for (int i = 0; i < _parts.Count;)
        {
            if (Pair.Side<TSide>(new ItemExpression(_pair, _parts[i]), isSide) is { } use && SafeExpression.Is(use.Body))
            {
                side = side.Where(use.ToLambda<TSide, bool>());
                _parts.RemoveAt(i);
            }
            else
                i++;
        }
        return side;
    }

    void Split(Expression part)
    {
        if (part is BinaryExpression { NodeType: ExpressionType.AndAlso } both)
        {
            Split(both.Left);
            Split(both.Right);
        }
        else
            _parts.Add(part);
    }
}
