using System.Linq.Expressions;
using System.Runtime.CompilerServices;

namespace Datacake.Data.Querying.Operators;

/// <summary>The conversion of expressions over the result of a projection to expressions over its source.</summary>
static class Projection
{
    /// <summary>
    /// Returns an expression over the result of a projection as one over its source, for evaluation. Returns null if the projection must
    /// not be evaluated for other items, or if the expression uses an object that the projection creates as a whole.
    /// </summary>
    public static ItemExpression? Through(ItemExpression use, LambdaExpression selector)
    {
        if (!SafeExpression.Is(selector.Body))
            return null;
        var body = Inline(use, selector);
        bool isMade = selector.Body is NewExpression or MemberInitExpression;
        return isMade && Contains(body, selector.Body) ? null : new ItemExpression(selector.Parameters[0], body);
    }

    /// <summary>Returns the expressions over the source of a projection that are used, for a given use of its result.</summary>
    public static IReadOnlyList<ItemExpression> UsesOfSource(IReadOnlyList<ItemExpression> uses, LambdaExpression selector) =>
        [.. uses.Select(use => new ItemExpression(selector.Parameters[0], Inline(use, selector))), .. Evaluated(selector.Body).Select(part => new ItemExpression(selector.Parameters[0], part))];

    static Expression Inline(ItemExpression use, LambdaExpression selector) => new Inlining(use.Item, selector.Body).Visit(use.Body);

    /// <summary>
    /// Returns the parts of a projection that are computed for each item. Parts that are only passed on count where they are used.
    /// </summary>
    static IEnumerable<Expression> Evaluated(Expression part) => part switch
    {
        NewExpression { Members: not null } made => made.Arguments.SelectMany(Evaluated),
        MemberInitExpression { NewExpression.Arguments: [] } init => init.Bindings.SelectMany(
            binding => binding is MemberAssignment assignment ? Evaluated(assignment.Expression) : [init]),
        ParameterExpression => [],
        MemberExpression { Expression: ParameterExpression pair } when Pair.IsPair(pair.Type) => [],
        _ => [part],
    };

    static bool Contains(Expression expression, Expression part)
    {
        var search = new Search(part);
        search.Visit(expression);
        return search.IsFound;
    }

    sealed class Inlining(ParameterExpression item, Expression made) : ExpressionVisitor
    {
        protected override Expression VisitParameter(ParameterExpression node) => node == item ? made : node;

        protected override Expression VisitMember(MemberExpression node) => Visit(node.Expression) switch
        {
            NewExpression { Members: { } members } @new when IndexOf(members, node.Member.Name) is >= 0 and var index => As(@new.Arguments[index], node.Type),
            MemberInitExpression init when IsPlain(node.Member) && Assigned(init, node.Member.Name) is { } value => As(value, node.Type),
            var owner => node.Update(owner),
        };

        static int IndexOf(System.Collections.ObjectModel.ReadOnlyCollection<System.Reflection.MemberInfo> members, string name)
        {
            for (int i = 0; i < members.Count; i++)
            {
                if (members[i].Name == name)
                    return i;
            }
            return -1;
        }

        static Expression? Assigned(MemberInitExpression init, string name) =>
            init.Bindings.OfType<MemberAssignment>().LastOrDefault(assignment => assignment.Member.Name == name)?.Expression;

        // Accessors that the compiler has generated return the value that was set. Accessors in the source code may return anything.
        static bool IsPlain(System.Reflection.MemberInfo member) => member is not System.Reflection.PropertyInfo property
            || (property is { GetMethod: { } get, SetMethod: { } set } && get.IsDefined(typeof(CompilerGeneratedAttribute), false) && set.IsDefined(typeof(CompilerGeneratedAttribute), false));

        static Expression As(Expression value, Type type) => value.Type == type ? value : Expression.Convert(value, type);
    }

    sealed class Search(Expression part) : ExpressionVisitor
    {
        public bool IsFound { get; private set; }

        public override Expression? Visit(Expression? node)
        {
            IsFound |= node == part;
            return IsFound ? node : base.Visit(node);
        }
    }
}
