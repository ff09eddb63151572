using System.Linq.Expressions;
using Datacake.Data.Querying.Analysis;

namespace Datacake.Data.Querying.Operators;

/// <summary>
/// A check for expressions that always return the same value and never throw, so that it makes no difference for which items they are
/// evaluated. An expression that is not known to be safe counts as unsafe.
/// </summary>
sealed class SafeExpression
{
    // The expressions that a test has found not to be null, for the expressions that depend on the test.
    readonly List<string> _notNull = [];

    SafeExpression()
    {
    }

    public static bool Is(Expression expression) => new SafeExpression().IsSafe(expression);

    bool IsSafe(Expression? node) => node switch
    {
        null or ConstantExpression or ParameterExpression or DefaultExpression => true,
        MemberExpression member => IsSafeMember(member),
        UnaryExpression unary => IsSafe(unary.Operand) && IsSafeConversion(unary),
        BinaryExpression { NodeType: ExpressionType.AndAlso } both => IsSafe(both.Left) && IsSafeIf(both.Left, isTrue: true, both.Right),
        BinaryExpression { NodeType: ExpressionType.OrElse } either => IsSafe(either.Left) && IsSafeIf(either.Left, isTrue: false, either.Right),
        BinaryExpression binary => IsSafe(binary.Left) && IsSafe(binary.Right) && IsSafeOperator(binary),
        ConditionalExpression choice => IsSafe(choice.Test) && IsSafeIf(choice.Test, isTrue: true, choice.IfTrue)
            && IsSafeIf(choice.Test, isTrue: false, choice.IfFalse),
        TypeBinaryExpression test => IsSafe(test.Expression),
        // The constructors of other classes may do anything.
        NewExpression @new => (@new.Members is not null || @new.Arguments.Count == 0) && @new.Arguments.All(IsSafe),
        MemberInitExpression init => IsSafe(init.NewExpression)
            && init.Bindings.All(binding => binding is MemberAssignment assignment && IsSafe(assignment.Expression)),
        MethodCallExpression call => IsSafeCall(call),
        _ => false,
    };

    bool IsSafeIf(Expression test, bool isTrue, Expression then)
    {
        int count = _notNull.Count;
        AddNotNull(test, isTrue);
        bool isSafe = IsSafe(then);
        _notNull.RemoveRange(count, _notNull.Count - count);
        return isSafe;
    }

    /// <summary>Adds the expressions that are not null if a test has the given outcome.</summary>
    void AddNotNull(Expression test, bool isTrue)
    {
        switch (test)
        {
            case BinaryExpression { NodeType: ExpressionType.AndAlso } both when isTrue:
                AddNotNull(both.Left, isTrue);
                AddNotNull(both.Right, isTrue);
                break;
            case BinaryExpression { NodeType: ExpressionType.OrElse } either when !isTrue:
                AddNotNull(either.Left, isTrue);
                AddNotNull(either.Right, isTrue);
                break;
            case UnaryExpression { NodeType: ExpressionType.Not } not:
                AddNotNull(not.Operand, !isTrue);
                break;
            case BinaryExpression comparison when comparison.NodeType == (isTrue ? ExpressionType.NotEqual : ExpressionType.Equal):
                if (IsNull(comparison.Right))
                    _notNull.Add(comparison.Left.ToString());
                else if (IsNull(comparison.Left))
                    _notNull.Add(comparison.Right.ToString());
                break;
            case MemberExpression { Member.Name: nameof(Nullable<>.HasValue), Expression: { } nullable } when isTrue:
                _notNull.Add(nullable.ToString());
                break;
        }

        static bool IsNull(Expression node) =>
            node is ConstantExpression { Value: null } || (node is UnaryExpression { NodeType: ExpressionType.Convert, Operand: ConstantExpression { Value: null } });
    }

    bool IsSafeMember(MemberExpression member)
    {
        // A static property may return another value each time. A captured variable is a field.
        if (member.Expression is null or ConstantExpression)
            return member.Member is System.Reflection.FieldInfo;
        if (!IsSafe(member.Expression))
            return false;
        if (Nullable.GetUnderlyingType(member.Expression.Type) is not null)
            return member.Member.Name == nameof(Nullable<>.HasValue) || _notNull.Contains(member.Expression.ToString());
        return member.Expression.Type.IsValueType || IsNeverNull(member.Expression) || _notNull.Contains(member.Expression.ToString());
    }

    static bool IsNeverNull(Expression owner)
    {
        while (owner is UnaryExpression { NodeType: ExpressionType.Convert, Method: null } convert && convert.Type.IsAssignableFrom(convert.Operand.Type))
            owner = convert.Operand;
        return owner is ParameterExpression
            || (owner is MemberExpression { Member.Name: nameof(Pair<,>.Left) or nameof(Pair<,>.Right), Expression: ParameterExpression pair } && Pair.IsPair(pair.Type));
    }

    static bool IsSafeConversion(UnaryExpression unary) => unary.NodeType switch
    {
        ExpressionType.TypeAs => true,
        ExpressionType.Not or ExpressionType.Negate => unary.Method is null or { DeclaringType.Namespace: nameof(System) },
        ExpressionType.Convert when unary.Type.IsAssignableFrom(unary.Operand.Type) => true,
        ExpressionType.Convert when Nullable.GetUnderlyingType(unary.Operand.Type) is not null && Nullable.GetUnderlyingType(unary.Type) is null => false,
        ExpressionType.Convert when !unary.Operand.Type.IsValueType || !unary.Type.IsValueType => false,
        ExpressionType.Convert when unary.Method is null => true,
        ExpressionType.Convert => unary.Type == typeof(decimal) && IsInteger(unary.Operand.Type),
        _ => false,
    };

    static bool IsInteger(Type type) => Type.GetTypeCode(type) is >= TypeCode.SByte and <= TypeCode.UInt64;

    static bool IsSafeOperator(BinaryExpression binary) => binary.NodeType switch
    {
        ExpressionType.Equal or ExpressionType.NotEqual or ExpressionType.LessThan or ExpressionType.LessThanOrEqual or ExpressionType.GreaterThan
            or ExpressionType.GreaterThanOrEqual => binary.Method is null or { DeclaringType.Namespace: nameof(System) },
        // Decimal arithmetic may overflow, but this is too rare to read every entity for it.
        ExpressionType.Add or ExpressionType.Subtract or ExpressionType.Multiply =>
            binary.Method is null || binary.Method.DeclaringType == typeof(string) || binary.Type == typeof(decimal),
        ExpressionType.And or ExpressionType.Or or ExpressionType.ExclusiveOr or ExpressionType.Coalesce => binary.Method is null,
        _ => false,
    };

    bool IsSafeCall(MethodCallExpression call)
    {
        if (StoredEquality.AsEqual(call) is (_, var left, var right))
            return IsSafe(left) && IsSafe(right);
        bool isText = call.Method.DeclaringType == typeof(string) && call.Method.Name switch
        {
            nameof(string.CompareOrdinal) or nameof(string.IsNullOrEmpty) or nameof(string.IsNullOrWhiteSpace) or nameof(string.Concat) => true,
            nameof(string.Equals) => call.Object is null,
            // These return false for null; see NullGuard.
            nameof(string.StartsWith) or nameof(string.EndsWith) or nameof(string.Contains) =>
                call.Object is MemberExpression or ParameterExpression && call.Arguments.All(argument => argument is ConstantExpression or MemberExpression { Expression: ConstantExpression }),
            _ => false,
        };
        bool isSearch = call.Method.Name == nameof(Enumerable.Contains)
            && (call.Object ?? call.Arguments[0]) is ConstantExpression or MemberExpression { Expression: ConstantExpression };
        return (isText || isSearch) && IsSafe(call.Object) && call.Arguments.All(IsSafe);
    }
}
