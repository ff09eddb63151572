using System.Collections.Immutable;
using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Datacake.Data.Analyzers.CodeFixes;

/// <summary>The fix of DCD002, which declares a keyspace as <c>partial Keyspace&lt;T&gt; Name { get; }</c>. It keeps the attributes and the accessibility.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(PartialKeyspaceFix))]
public sealed class PartialKeyspaceFix : CodeFixProvider
{
    const string Title = "Declare a partial property with a getter";

    /// <inheritdoc/>
    public override ImmutableArray<string> FixableDiagnosticIds { get; } = ["DCD002"];

    /// <inheritdoc/>
    public override FixAllProvider GetFixAllProvider() => WellKnownFixAllProviders.BatchFixer;

    /// <inheritdoc/>
    public override async Task RegisterCodeFixesAsync(CodeFixContext context)
    {
        var root = await context.Document.GetSyntaxRootAsync(context.CancellationToken).ConfigureAwait(false);
        if (root?.FindNode(context.Span).FirstAncestorOrSelf<PropertyDeclarationSyntax>() is not { } property)
            return;
        context.RegisterCodeFix(
            CodeAction.Create(Title, _ => Task.FromResult(context.Document.WithSyntaxRoot(root.ReplaceNode(property, Partial(property)))), Title),
            context.Diagnostics);
    }

    static PropertyDeclarationSyntax Partial(PropertyDeclarationSyntax property)
    {
        var kept = property.Modifiers.Where(static modifier => !modifier.IsKind(SyntaxKind.PartialKeyword) && !modifier.IsKind(SyntaxKind.RequiredKeyword) && !modifier.IsKind(SyntaxKind.ReadOnlyKeyword));
        var type = property.Type;
        var partial = SyntaxFactory.Token(SyntaxKind.PartialKeyword).WithTrailingTrivia(SyntaxFactory.Space);
        var modifiers = SyntaxFactory.TokenList(kept);
        if (modifiers.Count == 0)
            (partial, type) = (partial.WithLeadingTrivia(type.GetLeadingTrivia()), type.WithoutLeadingTrivia());
        return property
            .WithModifiers(modifiers.Add(partial))
            .WithType(type)
            .WithIdentifier(property.Identifier.WithTrailingTrivia(SyntaxFactory.Space))
            .WithInitializer(null)
            .WithExpressionBody(null)
            .WithSemicolonToken(default)
            .WithAccessorList(SyntaxFactory.AccessorList(
                SyntaxFactory.Token(SyntaxKind.OpenBraceToken).WithTrailingTrivia(SyntaxFactory.Space),
                [SyntaxFactory.AccessorDeclaration(SyntaxKind.GetAccessorDeclaration)
                    .WithSemicolonToken(SyntaxFactory.Token(SyntaxKind.SemicolonToken).WithTrailingTrivia(SyntaxFactory.Space))],
                SyntaxFactory.Token(SyntaxKind.CloseBraceToken)))
            .WithTrailingTrivia(property.GetTrailingTrivia());
    }
}
