using System.Linq.Expressions;
using System.Reflection;
using Datacake.Data.Querying.Analysis;

namespace Datacake.Data.Querying.Operators;

/// <summary>
/// A projection of groups that uses nothing of them but their keys and aggregates such as <c>g.Count()</c> and <c>g.Sum(o => o.Total)</c>. It is computed while the elements are read, and keeps none
/// of them.
/// </summary>
/// <param name="Aggregates">The aggregates.</param>
/// <param name="Selector">The projection.</param>
sealed record GroupAggregation<TKey, TElement, TResult>(IReadOnlyList<GroupAggregate<TElement>> Aggregates, Expression<Func<AggregatedGroup<TKey>, TResult>> Selector)
{
    /// <summary>Returns the projection in this form; null if it uses groups in another way.</summary>
    public static GroupAggregation<TKey, TElement, TResult>? Of(Expression<Func<IGrouping<TKey, TElement>, TResult>> selector, CompiledExpressions expressions)
    {
        var rewriting = new Rewriting(selector.Parameters[0], expressions);
        var body = rewriting.Visit(selector.Body);
        return rewriting.IsGroupUsed ? null : new(rewriting.Aggregates, Expression.Lambda<Func<AggregatedGroup<TKey>, TResult>>(body, rewriting.Group));
    }

    sealed class Rewriting(ParameterExpression group, CompiledExpressions expressions) : ExpressionVisitor
    {
        static readonly MemberInfo KeyOfGroup = MemberOf(static made => made.Key), AggregatesOfGroup = MemberOf(static made => made.Aggregates);

        public ParameterExpression Group { get; } = Expression.Parameter(typeof(AggregatedGroup<TKey>), group.Name);

        public List<GroupAggregate<TElement>> Aggregates { get; } = [];

        public bool IsGroupUsed { get; private set; }

        // An aggregate that the projection does not always compute may throw where it would not have to.
        protected override Expression VisitConditional(ConditionalExpression node)
        {
            IsGroupUsed = true;
            return node;
        }

        protected override Expression VisitBinary(BinaryExpression node)
        {
            IsGroupUsed |= node.NodeType is ExpressionType.AndAlso or ExpressionType.OrElse or ExpressionType.Coalesce;
            return base.VisitBinary(node);
        }

        protected override Expression VisitMember(MemberExpression node) => node.Expression == group && node.Member.Name == nameof(IGrouping<,>.Key)
            ? Expression.MakeMemberAccess(Group, KeyOfGroup)
            : base.VisitMember(node);

        protected override Expression VisitMethodCall(MethodCallExpression node)
        {
            if (node.Method.DeclaringType != typeof(Enumerable) || node.Arguments is not [ParameterExpression sequence, ..] || sequence != group
                || (node.Arguments.Count == 2 && IsIn(node.Arguments[1])) || GroupAggregate<TElement>.Of(node, expressions) is not { } aggregate)
                return base.VisitMethodCall(node);
            var value = Expression.ArrayIndex(Expression.MakeMemberAccess(Group, AggregatesOfGroup), Expression.Constant(Aggregates.Count));
            Aggregates.Add(aggregate);
            return Expression.Convert(value, node.Type);
        }

        protected override Expression VisitParameter(ParameterExpression node)
        {
            IsGroupUsed |= node == group;
            return node;
        }

        bool IsIn(Expression expression) => ParameterSearch.IsIn(expression, group);

        static MemberInfo MemberOf<TValue>(Expression<Func<AggregatedGroup<TKey>, TValue>> member) => ((MemberExpression)member.Body).Member;
    }
}
