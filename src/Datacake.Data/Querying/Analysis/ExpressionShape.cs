using System.Linq.Expressions;

namespace Datacake.Data.Querying.Analysis;

/// <summary>
/// The shape of an expression, without its constants and captured variables, which is equal for every run of the same line of code. The
/// constants (a captured variable is a field of one) are extracted in the order of the tree.
/// </summary>
sealed class ExpressionShape : IEquatable<ExpressionShape>
{
    readonly int[] _numbers;
    readonly object?[] _symbols;
    readonly int _hash;

    ExpressionShape(int[] numbers, object?[] symbols)
    {
        _numbers = numbers;
        _symbols = symbols;
        var hash = new HashCode();
        foreach (int number in numbers)
            hash.Add(number);
        foreach (object? symbol in symbols)
            hash.Add(symbol);
        _hash = hash.ToHashCode();
    }

    /// <summary>
    /// Returns the shape of an expression and its constants; null if the expression has nodes that are not supported here.
    /// </summary>
    public static (ExpressionShape Shape, object?[] Constants)? Of(Expression expression)
    {
        var reader = new Reader();
        reader.Visit(expression);
        return reader.IsKnown ? (new ExpressionShape([.. reader.Numbers], [.. reader.Symbols]), [.. reader.Constants]) : null;
    }

    /// <summary>Returns the expression with its constants replaced by the items of an array.</summary>
    public static Expression Parameterize(Expression expression, ParameterExpression constants) =>
        new Parameterizer(constants).Visit(expression);

    public bool Equals(ExpressionShape? other) =>
        other is not null && _hash == other._hash && _numbers.AsSpan().SequenceEqual(other._numbers) && _symbols.SequenceEqual(other._symbols);

    public override bool Equals(object? obj) => Equals(obj as ExpressionShape);

    public override int GetHashCode() => _hash;

    /// <summary>A visitor that records the tree in the order of the visit, with the number of children where it is not fixed.</summary>
    sealed class Reader : ExpressionVisitor
    {
        readonly List<ParameterExpression> _parameters = [];

        public List<int> Numbers { get; } = [];

        public List<object?> Symbols { get; } = [];

        public List<object?> Constants { get; } = [];

        public bool IsKnown { get; private set; } = true;

        public override Expression? Visit(Expression? node)
        {
            Numbers.Add(node is null ? -1 : (int)node.NodeType);
            if (node is null)
                return null;
            Symbols.Add(node.Type);
            return base.Visit(node);
        }

        protected override Expression VisitConstant(ConstantExpression node)
        {
            Constants.Add(node.Value);
            return node;
        }

        protected override Expression VisitParameter(ParameterExpression node)
        {
            if (!_parameters.Contains(node))
                _parameters.Add(node);
            Numbers.Add(_parameters.IndexOf(node));
            return node;
        }

        protected override Expression VisitLambda<T>(Expression<T> node)
        {
            Numbers.Add(node.Parameters.Count);
            foreach (var parameter in node.Parameters)
                Visit(parameter);
            Visit(node.Body);
            return node;
        }

        protected override Expression VisitMember(MemberExpression node)
        {
            Symbols.Add(node.Member);
            return base.VisitMember(node);
        }

        protected override Expression VisitMethodCall(MethodCallExpression node)
        {
            Symbols.Add(node.Method);
            Numbers.Add(node.Arguments.Count);
            return base.VisitMethodCall(node);
        }

        protected override Expression VisitBinary(BinaryExpression node)
        {
            Symbols.Add(node.Method);
            Numbers.Add(node.IsLiftedToNull ? 1 : 0);
            return base.VisitBinary(node);
        }

        protected override Expression VisitUnary(UnaryExpression node)
        {
            Symbols.Add(node.Method);
            return base.VisitUnary(node);
        }

        protected override Expression VisitNew(NewExpression node)
        {
            Symbols.Add(node.Constructor);
            Numbers.Add(node.Arguments.Count);
            return base.VisitNew(node);
        }

        protected override Expression VisitNewArray(NewArrayExpression node)
        {
            Numbers.Add(node.Expressions.Count);
            return base.VisitNewArray(node);
        }

        protected override Expression VisitTypeBinary(TypeBinaryExpression node)
        {
            Symbols.Add(node.TypeOperand);
            return base.VisitTypeBinary(node);
        }

        protected override Expression VisitInvocation(InvocationExpression node)
        {
            Numbers.Add(node.Arguments.Count);
            return base.VisitInvocation(node);
        }

        protected override Expression VisitMemberInit(MemberInitExpression node)
        {
            Numbers.Add(node.Bindings.Count);
            return base.VisitMemberInit(node);
        }

        protected override MemberBinding VisitMemberBinding(MemberBinding node)
        {
            Numbers.Add((int)node.BindingType);
            Symbols.Add(node.Member);
            return base.VisitMemberBinding(node);
        }

        protected override MemberListBinding VisitMemberListBinding(MemberListBinding node)
        {
            Numbers.Add(node.Initializers.Count);
            return base.VisitMemberListBinding(node);
        }

        protected override MemberMemberBinding VisitMemberMemberBinding(MemberMemberBinding node)
        {
            Numbers.Add(node.Bindings.Count);
            return base.VisitMemberMemberBinding(node);
        }

        protected override Expression VisitListInit(ListInitExpression node)
        {
            Numbers.Add(node.Initializers.Count);
            return base.VisitListInit(node);
        }

        protected override ElementInit VisitElementInit(ElementInit node)
        {
            Symbols.Add(node.AddMethod);
            Numbers.Add(node.Arguments.Count);
            return base.VisitElementInit(node);
        }

        // The compiler does not generate these nodes from a lambda.
        protected override Expression VisitBlock(BlockExpression node) => Unknown(node);

        protected override Expression VisitDynamic(DynamicExpression node) => Unknown(node);

        protected override Expression VisitExtension(Expression node) => Unknown(node);

        protected override Expression VisitGoto(GotoExpression node) => Unknown(node);

        protected override Expression VisitIndex(IndexExpression node) => Unknown(node);

        protected override Expression VisitLabel(LabelExpression node) => Unknown(node);

        protected override Expression VisitLoop(LoopExpression node) => Unknown(node);

        protected override Expression VisitRuntimeVariables(RuntimeVariablesExpression node) => Unknown(node);

        protected override Expression VisitSwitch(SwitchExpression node) => Unknown(node);

        protected override Expression VisitTry(TryExpression node) => Unknown(node);

        Expression Unknown(Expression node)
        {
            IsKnown = false;
            return node;
        }
    }

    sealed class Parameterizer(ParameterExpression constants) : ExpressionVisitor
    {
        int _count;

        protected override Expression VisitConstant(ConstantExpression node) =>
            Expression.Convert(Expression.ArrayIndex(constants, Expression.Constant(_count++)), node.Type);

        // Nodes are visited in the same order as by the reader.
        protected override Expression VisitLambda<T>(Expression<T> node) => node.Update(Visit(node.Body), node.Parameters);
    }
}
