using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Datacake.Data.Analyzers;

/// <summary>
/// A rewriter that replaces the names of types and static members in code of the model by their full names, so that the code means the same
/// in the generated part of the context, whatever has the same name there.
/// </summary>
/// <param name="semantics">The semantic model of the code.</param>
/// <param name="substitute">Returns a type with its type parameters replaced by their arguments.</param>
/// <param name="cancellationToken">Cancels the rewriting.</param>
sealed class QualifiedCode(SemanticModel semantics, Func<ITypeSymbol, ITypeSymbol> substitute, CancellationToken cancellationToken) : CSharpSyntaxRewriter
{
    public static string Of(ExpressionSyntax code, SemanticModel semantics, Func<ITypeSymbol, ITypeSymbol> substitute, CancellationToken cancellationToken) =>
        new QualifiedCode(semantics, substitute, cancellationToken).Visit(code).WithoutTrivia().ToString();

    /// <summary>Returns true if a name follows the type or object that it is a member of.</summary>
    public static bool IsQualified(SimpleNameSyntax name) => name.Parent switch
    {
        MemberAccessExpressionSyntax access => access.Name == name,
        QualifiedNameSyntax qualified => qualified.Right == name,
        AliasQualifiedNameSyntax or MemberBindingExpressionSyntax or NameColonSyntax or NameEqualsSyntax => true,
        // A property in the initializer of an object.
        AssignmentExpressionSyntax { Parent: InitializerExpressionSyntax { RawKind: (int)SyntaxKind.ObjectInitializerExpression or (int)SyntaxKind.WithInitializerExpression } } assignment => assignment.Left == name,
        _ => false,
    };

    public override SyntaxNode? VisitIdentifierName(IdentifierNameSyntax node)
    {
        if (node.IsVar || IsQualified(node))
            return node;
        return SymbolOf(node) switch
        {
            ITypeSymbol symbol when substitute(symbol) is not ITypeParameterSymbol and var type => Parsed(type.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat), node),
            INamespaceSymbol { IsGlobalNamespace: false } space => Parsed(space.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat), node),
            { } member when IsStatic(member) => SyntaxFactory.ParseExpression($"{OwnerOf(member)}.{node.WithoutTrivia()}").WithTriviaFrom(node),
            _ => node,
        };
    }

    public override SyntaxNode? VisitGenericName(GenericNameSyntax node)
    {
        var written = (GenericNameSyntax)base.VisitGenericName(node)!;
        if (IsQualified(node))
            return written;
        return SymbolOf(node) switch
        {
            INamedTypeSymbol type => Parsed($"{OwnerOf(type)}{written.WithoutTrivia()}", node),
            { } member when IsStatic(member) => SyntaxFactory.ParseExpression($"{OwnerOf(member)}.{written.WithoutTrivia()}").WithTriviaFrom(node),
            _ => written,
        };
    }

    public override SyntaxNode? VisitAliasQualifiedName(AliasQualifiedNameSyntax node)
    {
        if (node.Alias.Identifier.IsKind(SyntaxKind.GlobalKeyword))
            return base.VisitAliasQualifiedName(node);
        var written = (SimpleNameSyntax)Visit(node.Name)!;
        return SymbolOf(node.Name) switch
        {
            INamedTypeSymbol type => Parsed($"{OwnerOf(type)}{written.WithoutTrivia()}", node),
            INamespaceSymbol space => Parsed(space.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat), node),
            _ => node,
        };
    }

    /// <summary>Replaces <c>nameof</c> by its value, which would be another one for the full name.</summary>
    public override SyntaxNode? VisitInvocationExpression(InvocationExpressionSyntax node) =>
        node.Expression is IdentifierNameSyntax { Identifier.Text: "nameof" } && semantics.GetConstantValue(node, cancellationToken).Value is string name
            ? SyntaxFactory.LiteralExpression(SyntaxKind.StringLiteralExpression, SyntaxFactory.Literal(name)).WithTriviaFrom(node)
            : base.VisitInvocationExpression(node);

    /// <summary>Puts the expression in parentheses if it has a full name, whose colons would begin a format.</summary>
    public override SyntaxNode? VisitInterpolation(InterpolationSyntax node)
    {
        var written = (InterpolationSyntax)base.VisitInterpolation(node)!;
        return written.Expression.ToString().Contains("::") ? written.WithExpression(SyntaxFactory.ParenthesizedExpression(written.Expression)) : written;
    }

    /// <summary>Removes directives, which have taken effect already and cannot be in the middle of a line.</summary>
    public override SyntaxTrivia VisitTrivia(SyntaxTrivia trivia) => trivia.IsDirective || trivia.IsKind(SyntaxKind.DisabledTextTrivia) ? default : trivia;

    ISymbol? SymbolOf(SimpleNameSyntax name) => semantics.GetSymbolInfo(name, cancellationToken).Symbol switch
    {
        IMethodSymbol { MethodKind: MethodKind.Constructor, ContainingType: var type } => type,
        IErrorTypeSymbol or IDynamicTypeSymbol => null,
        var symbol => symbol,
    };

    static bool IsStatic(ISymbol member) => member.IsStatic && member.ContainingType is not null
        && member is IFieldSymbol or IPropertySymbol or IEventSymbol or IMethodSymbol { MethodKind: not MethodKind.LocalFunction };

    /// <summary>Returns the type that has a member, or the qualifier of a type's name.</summary>
    string OwnerOf(ISymbol symbol)
    {
        var owner = symbol.ContainingType is { } type ? substitute(type) : (ISymbol)symbol.ContainingNamespace;
        string name = owner is INamespaceSymbol { IsGlobalNamespace: true } ? "global::" : owner.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat);
        return symbol is INamedTypeSymbol && !name.EndsWith(":", StringComparison.Ordinal) ? name + "." : name;
    }

    static TypeSyntax Parsed(string name, SyntaxNode replaced) => SyntaxFactory.ParseTypeName(name).WithTriviaFrom(replaced);
}
