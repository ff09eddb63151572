using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Datacake.Data.Analyzers;

/// <summary>
/// Writes code of the model with the full names of types and static members, so that it means the same in the generated part of the context, whatever is called alike there.
/// </summary>
/// <param name="semantics">What names mean.</param>
/// <param name="meant">Gives the type that one stands for, if it is a type parameter or has one in it.</param>
/// <param name="cancellationToken">Stops writing.</param>
sealed class QualifiedCode(SemanticModel semantics, Func<ITypeSymbol, ITypeSymbol> meant, CancellationToken cancellationToken) : CSharpSyntaxRewriter
{
    public static string Of(ExpressionSyntax code, SemanticModel semantics, Func<ITypeSymbol, ITypeSymbol> meant, CancellationToken cancellationToken) =>
        new QualifiedCode(semantics, meant, cancellationToken).Visit(code).WithoutTrivia().ToString();

    /// <summary>True if a name follows what it is a member of.</summary>
    public static bool IsQualified(SimpleNameSyntax name) => name.Parent switch
    {
        MemberAccessExpressionSyntax access => access.Name == name,
        QualifiedNameSyntax qualified => qualified.Right == name,
        AliasQualifiedNameSyntax or MemberBindingExpressionSyntax or NameColonSyntax or NameEqualsSyntax => true,
        // The properties of an object that is made.
        AssignmentExpressionSyntax { Parent: InitializerExpressionSyntax { RawKind: (int)SyntaxKind.ObjectInitializerExpression or (int)SyntaxKind.WithInitializerExpression } } assignment => assignment.Left == name,
        _ => false,
    };

    public override SyntaxNode? VisitIdentifierName(IdentifierNameSyntax node)
    {
        if (node.IsVar || IsQualified(node))
            return node;
        return SymbolOf(node) switch
        {
            ITypeSymbol symbol when meant(symbol) is not ITypeParameterSymbol and var type => Parsed(type.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat), node),
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

    /// <summary>A name of something is what it is called, and not what its full name would make of it.</summary>
    public override SyntaxNode? VisitInvocationExpression(InvocationExpressionSyntax node) =>
        node.Expression is IdentifierNameSyntax { Identifier.Text: "nameof" } && semantics.GetConstantValue(node, cancellationToken).Value is string name
            ? SyntaxFactory.LiteralExpression(SyntaxKind.StringLiteralExpression, SyntaxFactory.Literal(name)).WithTriviaFrom(node)
            : base.VisitInvocationExpression(node);

    /// <summary>The colons of a full name would begin a format.</summary>
    public override SyntaxNode? VisitInterpolation(InterpolationSyntax node)
    {
        var written = (InterpolationSyntax)base.VisitInterpolation(node)!;
        return written.Expression.ToString().Contains("::") ? written.WithExpression(SyntaxFactory.ParenthesizedExpression(written.Expression)) : written;
    }

    /// <summary>Directives are read already, and have no place in the middle of a line.</summary>
    public override SyntaxTrivia VisitTrivia(SyntaxTrivia trivia) => trivia.IsDirective || trivia.IsKind(SyntaxKind.DisabledTextTrivia) ? default : trivia;

    ISymbol? SymbolOf(SimpleNameSyntax name) => semantics.GetSymbolInfo(name, cancellationToken).Symbol switch
    {
        IMethodSymbol { MethodKind: MethodKind.Constructor, ContainingType: var type } => type,
        IErrorTypeSymbol or IDynamicTypeSymbol => null,
        var symbol => symbol,
    };

    static bool IsStatic(ISymbol member) => member.IsStatic && member.ContainingType is not null
        && member is IFieldSymbol or IPropertySymbol or IEventSymbol or IMethodSymbol { MethodKind: not MethodKind.LocalFunction };

    /// <summary>The type that has a member, or what comes before the name of a type.</summary>
    string OwnerOf(ISymbol symbol)
    {
        var owner = symbol.ContainingType is { } type ? meant(type) : (ISymbol)symbol.ContainingNamespace;
        string name = owner is INamespaceSymbol { IsGlobalNamespace: true } ? "global::" : owner.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat);
        return symbol is INamedTypeSymbol && !name.EndsWith(":", StringComparison.Ordinal) ? name + "." : name;
    }

    static TypeSyntax Parsed(string name, SyntaxNode replaced) => SyntaxFactory.ParseTypeName(name).WithTriviaFrom(replaced);
}
