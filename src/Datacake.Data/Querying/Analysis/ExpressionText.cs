using System.Globalization;
using System.Linq.Expressions;
using System.Runtime.CompilerServices;
using Datacake.Data.Querying.Operators;

namespace Datacake.Data.Querying.Analysis;

/// <summary>
/// A formatter that writes expressions as in source code: captured variables and enum constants by their names, and without the conversions
/// that the compiler adds.
/// </summary>
static class ExpressionText
{
    // The precedence of operators, from the loosest to the tightest.
    const int Any = 0, Choice = 1, Coalescing = 2, Or = 3, And = 4, BitOr = 5, ExclusiveOr = 6, BitAnd = 7, Equality = 8, Relation = 9, Shift = 10, Sum = 11, Product = 12, Unary = 13, Primary = 14;

    /// <summary>Returns an expression as in source code.</summary>
    public static string Of(Expression expression) => Of(expression, Any);

    /// <summary>Returns an expression as in source code, with question marks in place of values.</summary>
    public static string ShapeOf(Expression expression) => Of(new ValueMask().Visit(expression), Any);

    /// <summary>Returns the name of a type as in source code.</summary>
    public static string NameOf(Type type) => Nullable.GetUnderlyingType(type) is { } value ? $"{NameOf(value)}?"
        : type.IsArray ? $"{NameOf(type.GetElementType()!)}[]"
        : type.IsGenericType ? $"{type.Name.Split('`')[0]}<{string.Join(", ", type.GetGenericArguments().Select(NameOf))}>"
        : type.Name;

    static string Of(Expression expression, int around) => expression switch
    {
        UnaryExpression { NodeType: ExpressionType.Not, Operand: var operand } when StoredEquality.AsEqual(operand) is var (_, a, b) => Infix(a, "!=", b, Equality, around),
        _ when StoredEquality.AsEqual(expression) is var (_, left, right) => Infix(left, "==", right, Equality, around),
        _ when StoredEquality.AsContains(expression) is var (_, collection, value) => $"{Of(collection, Primary)}.Contains({Of(value)})",
        _ when StoredEquality.AsWritten(expression) is { } written => Of(written, around),
        BinaryExpression { NodeType: ExpressionType.ArrayIndex } item => $"{Of(item.Left, Primary)}[{Of(item.Right)}]",
        BinaryExpression binary => OfBinary(binary, around),
        UnaryExpression unary => OfUnary(unary, around),
        // A joined item is shown by the name that it has in the source code.
        MemberExpression member when Pair.NameOf(member) is { } name => name,
        MemberExpression member => OfMember(member),
        MethodCallExpression call => OfCall(call, around),
        ConstantExpression constant => Literal(constant.Value),
        ParameterExpression parameter => parameter.Name ?? "it",
        ConditionalExpression choice => Enclosed($"{Of(choice.Test, Coalescing)} ? {Of(choice.IfTrue, Choice)} : {Of(choice.IfFalse, Choice)}", Choice, around),
        TypeBinaryExpression test => Enclosed($"{Of(test.Expression, Relation)} is {NameOf(test.TypeOperand)}", Relation, around),
        LambdaExpression { Parameters: [var only] } lambda => Enclosed($"{Of(only)} => {Of(lambda.Body)}", Any, around),
        LambdaExpression lambda => Enclosed($"({List(lambda.Parameters)}) => {Of(lambda.Body)}", Any, around),
        NewExpression { Members: { } members } made => $"new {{ {string.Join(", ", members.Zip(made.Arguments, (member, value) => $"{member.Name} = {Of(value)}"))} }}",
        NewExpression made => $"new {NameOf(made.Type)}({List(made.Arguments)})",
        NewArrayExpression { NodeType: ExpressionType.NewArrayInit } array => $"new[] {{ {List(array.Expressions)} }}",
        InvocationExpression invocation => $"{Of(invocation.Expression, Primary)}({List(invocation.Arguments)})",
        DefaultExpression => "default",
        _ => $"{expression}",
    };

    static string OfBinary(BinaryExpression binary, int around)
    {
        var (left, right) = (binary.Left, binary.Right);
        if (EnumOf(left) is { } ofLeft && right is ConstantExpression { Value: { } rightNumber })
            right = Expression.Constant(Named(ofLeft, rightNumber));
        else if (EnumOf(right) is { } ofRight && left is ConstantExpression { Value: { } leftNumber })
            left = Expression.Constant(Named(ofRight, leftNumber));
        return binary.NodeType switch
        {
            ExpressionType.OrElse => Infix(left, "||", right, Or, around),
            ExpressionType.AndAlso => Infix(left, "&&", right, And, around),
            ExpressionType.Or => Infix(left, "|", right, BitOr, around),
            ExpressionType.ExclusiveOr => Infix(left, "^", right, ExclusiveOr, around),
            ExpressionType.And => Infix(left, "&", right, BitAnd, around),
            ExpressionType.Equal => Infix(left, "==", right, Equality, around),
            ExpressionType.NotEqual => Infix(left, "!=", right, Equality, around),
            ExpressionType.LessThan => Infix(left, "<", right, Relation, around),
            ExpressionType.LessThanOrEqual => Infix(left, "<=", right, Relation, around),
            ExpressionType.GreaterThan => Infix(left, ">", right, Relation, around),
            ExpressionType.GreaterThanOrEqual => Infix(left, ">=", right, Relation, around),
            ExpressionType.LeftShift => Infix(left, "<<", right, Shift, around),
            ExpressionType.RightShift => Infix(left, ">>", right, Shift, around),
            ExpressionType.Add or ExpressionType.AddChecked => Infix(left, "+", right, Sum, around),
            ExpressionType.Subtract or ExpressionType.SubtractChecked => Infix(left, "-", right, Sum, around),
            ExpressionType.Multiply or ExpressionType.MultiplyChecked => Infix(left, "*", right, Product, around),
            ExpressionType.Divide => Infix(left, "/", right, Product, around),
            ExpressionType.Modulo => Infix(left, "%", right, Product, around),
            ExpressionType.Coalesce => Enclosed($"{Of(left, Or)} ?? {Of(right, Coalescing)}", Coalescing, around),
            _ => $"{binary}",
        };
    }

    static string OfUnary(UnaryExpression unary, int around) => unary.NodeType switch
    {
        ExpressionType.Convert or ExpressionType.ConvertChecked => IsImplicit(unary)
            ? Of(unary.Operand, around)
            : Enclosed($"({NameOf(unary.Type)}){Of(unary.Operand, Unary)}", Unary, around),
        ExpressionType.Quote => Of(unary.Operand, around),
        ExpressionType.TypeAs => Enclosed($"{Of(unary.Operand, Relation)} as {NameOf(unary.Type)}", Relation, around),
        ExpressionType.Not when unary.Type == typeof(bool) || unary.Type == typeof(bool?) => Enclosed($"!{Of(unary.Operand, Unary)}", Unary, around),
        ExpressionType.Not => Enclosed($"~{Of(unary.Operand, Unary)}", Unary, around),
        ExpressionType.Negate or ExpressionType.NegateChecked => Enclosed($"-{Of(unary.Operand, Unary)}", Unary, around),
        ExpressionType.ArrayLength => $"{Of(unary.Operand, Primary)}.Length",
        _ => $"{unary}",
    };

    static string OfMember(MemberExpression member) => member.Expression switch
    {
        // The constant is the object in which the compiler keeps captured variables.
        ConstantExpression => member.Member.Name,
        null => $"{NameOf(member.Member.DeclaringType!)}.{member.Member.Name}",
        var owner => $"{Of(owner, Primary)}.{member.Member.Name}",
    };

    static string OfCall(MethodCallExpression call, int around)
    {
        if (call.Method.Name is "op_Implicit" && call.Arguments is [var converted])
            return Of(converted, around);
        if (call.Method is { IsSpecialName: true, Name: "get_Item" })
            return $"{Of(call.Object!, Primary)}[{List(call.Arguments)}]";
        var (owner, arguments) = call.Object is { } instance ? (instance, call.Arguments)
            : call.Method.IsDefined(typeof(ExtensionAttribute), inherit: false) ? (call.Arguments[0], call.Arguments.Skip(1))
            : (null, call.Arguments);
        string of = owner is not null ? Of(owner, Primary) : NameOf(call.Method.DeclaringType!);
        return $"{of}.{call.Method.Name}({List(arguments)})";
    }

    static string Infix(Expression left, string symbol, Expression right, int binding, int around) =>
        Enclosed($"{Of(left, binding)} {symbol} {Of(right, binding + 1)}", binding, around);

    static string Enclosed(string text, int binding, int around) => binding < around ? $"({text})" : text;

    static string List(IEnumerable<Expression> expressions) => string.Join(", ", expressions.Select(static expression => Of(expression)));

    static string Literal(object? value) => value switch
    {
        null => "null",
        bool truth => truth ? "true" : "false",
        string text => $"\"{text}\"",
        char letter => $"'{letter}'",
        Enum constant when char.IsLetter($"{constant}"[0]) => $"{NameOf(constant.GetType())}.{constant}",
        Enum constant => $"({NameOf(constant.GetType())}){constant}",
        Type type => $"typeof({NameOf(type)})",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };

    /// <summary>Returns the enum type, or char, that the compiler has converted to an integer; null if there is none.</summary>
    static Type? EnumOf(Expression expression)
    {
        while (expression is UnaryExpression { NodeType: ExpressionType.Convert, Operand: var operand })
        {
            var type = Nullable.GetUnderlyingType(operand.Type) ?? operand.Type;
            if (type.IsEnum || type == typeof(char))
                return type;
            expression = operand;
        }
        return null;
    }

    static object Named(Type type, object number) => type != typeof(char)
        ? number is Enum ? number : Enum.ToObject(type, number)
        : number is int code and >= char.MinValue and <= char.MaxValue ? (char)code : number;

    /// <summary>True if the compiler adds the conversion by itself.</summary>
    static bool IsImplicit(UnaryExpression conversion)
    {
        if (conversion.Method is { } method)
            return method.Name == "op_Implicit";
        var (from, to) = (conversion.Operand.Type, conversion.Type);
        if (to.IsAssignableFrom(from))
            return true;
        from = Nullable.GetUnderlyingType(from) ?? from;
        to = Nullable.GetUnderlyingType(to) ?? to;
        var (narrow, wide) = (Type.GetTypeCode(from), Type.GetTypeCode(to));
        // An enum has the type code of its underlying integer.
        return from == to || (narrow is >= TypeCode.Char and < TypeCode.Decimal && wide > narrow && wide <= TypeCode.Decimal && !to.IsEnum) || (from.IsEnum && narrow == wide);
    }
}
