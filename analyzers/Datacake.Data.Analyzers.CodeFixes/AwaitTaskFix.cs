using System.Collections.Immutable;
using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Datacake.Data.Analyzers.CodeFixes;

/// <summary>
/// The fix of DCD101, which awaits the task. A method that returns a <see cref="Task"/> becomes async; one that returns anything else is left as it is, because its callers would have to change.
/// </summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(AwaitTaskFix))]
public sealed class AwaitTaskFix : CodeFixProvider
{
    const string Title = "Await the task", TitleOfAsync = "Make the method async, and await the task";

    /// <inheritdoc/>
    public override ImmutableArray<string> FixableDiagnosticIds { get; } = ["DCD101"];

    /// <inheritdoc/>
    public override FixAllProvider GetFixAllProvider() => WellKnownFixAllProviders.BatchFixer;

    /// <inheritdoc/>
    public override async Task RegisterCodeFixesAsync(CodeFixContext context)
    {
        var root = await context.Document.GetSyntaxRootAsync(context.CancellationToken).ConfigureAwait(false);
        if (root?.FindNode(context.Span, getInnermostNodeForTie: true).FirstAncestorOrSelf<ExpressionStatementSyntax>() is not { } statement
            || statement.Expression is ConditionalAccessExpressionSyntax)
            return;
        var owner = statement.Ancestors().FirstOrDefault(static node => node is AnonymousFunctionExpressionSyntax or LocalFunctionStatementSyntax or BaseMethodDeclarationSyntax or AccessorDeclarationSyntax);
        if (IsAsync(owner))
            Register(Title, () => root.ReplaceNode(statement, Awaited(statement)));
        else if (owner is MethodDeclarationSyntax { Body: { } body } method && await ReturnsTaskAsync(context, method).ConfigureAwait(false) && ReturnsOf(body) is var returns && returns.All(CanBeAsync))
            Register(TitleOfAsync, () => root.ReplaceNode(method, Async(method, body, statement, returns)));

        void Register(string title, Func<SyntaxNode> change) =>
            context.RegisterCodeFix(CodeAction.Create(title, _ => Task.FromResult(context.Document.WithSyntaxRoot(change())), title), context.Diagnostics);
    }

    static bool IsAsync(SyntaxNode? owner) => owner switch
    {
        AnonymousFunctionExpressionSyntax function => function.AsyncKeyword.IsKind(SyntaxKind.AsyncKeyword),
        LocalFunctionStatementSyntax function => function.Modifiers.Any(SyntaxKind.AsyncKeyword),
        MethodDeclarationSyntax method => method.Modifiers.Any(SyntaxKind.AsyncKeyword),
        _ => false,
    };

    static async Task<bool> ReturnsTaskAsync(CodeFixContext context, MethodDeclarationSyntax method)
    {
        var model = await context.Document.GetSemanticModelAsync(context.CancellationToken).ConfigureAwait(false);
        return model?.GetDeclaredSymbol(method, context.CancellationToken) is { ReturnType: INamedTypeSymbol { Name: "Task", Arity: 0 } type, Parameters: var parameters }
            && type.ContainingNamespace.ToDisplayString() == "System.Threading.Tasks"
            && parameters.All(static parameter => parameter.RefKind == RefKind.None);
    }

    static ExpressionStatementSyntax Awaited(ExpressionStatementSyntax statement) => statement.WithExpression(Await(statement.Expression));

    static AwaitExpressionSyntax Await(ExpressionSyntax task) => SyntaxFactory.AwaitExpression(
        SyntaxFactory.Token(SyntaxKind.AwaitKeyword).WithLeadingTrivia(task.GetLeadingTrivia()).WithTrailingTrivia(SyntaxFactory.Space),
        task is ConditionalExpressionSyntax or BinaryExpressionSyntax ? SyntaxFactory.ParenthesizedExpression(task.WithoutLeadingTrivia()) : task.WithoutLeadingTrivia());

    static List<ReturnStatementSyntax> ReturnsOf(BlockSyntax body) =>
        [.. body.DescendantNodes(static node => node is not (AnonymousFunctionExpressionSyntax or LocalFunctionStatementSyntax)).OfType<ReturnStatementSyntax>()];

    /// <summary>True for <c>return Task.CompletedTask;</c>, and for the last statement of the method, which can await the task that it returns.</summary>
    static bool CanBeAsync(ReturnStatementSyntax result) => IsCompleted(result) || IsLast(result);

    static bool IsCompleted(ReturnStatementSyntax result) => result.Expression is MemberAccessExpressionSyntax { Name.Identifier.Text: "CompletedTask" };

    static bool IsLast(ReturnStatementSyntax result) => result.Parent is BlockSyntax { Parent: MethodDeclarationSyntax } body && body.Statements.Last() == result;

    static MethodDeclarationSyntax Async(MethodDeclarationSyntax method, BlockSyntax body, ExpressionStatementSyntax statement, List<ReturnStatementSyntax> returns)
    {
        var dropped = returns.Find(static result => IsLast(result) && IsCompleted(result));
        var changed = body.ReplaceNodes(
            returns.Where(result => result != dropped).Cast<StatementSyntax>().Append(statement),
            (_, node) => node switch
            {
                ExpressionStatementSyntax task => Awaited(task),
                ReturnStatementSyntax { Expression: { } task } result when !IsCompleted(result) =>
                    SyntaxFactory.ExpressionStatement(Await(task.WithLeadingTrivia(result.GetLeadingTrivia())), result.SemicolonToken),
                var result => ((ReturnStatementSyntax)result).WithReturnKeyword(((ReturnStatementSyntax)result).ReturnKeyword.WithTrailingTrivia()).WithExpression(null),
            });
        if (dropped is not null)
            changed = changed.WithStatements(changed.Statements.RemoveAt(changed.Statements.Count - 1));
        var keyword = SyntaxFactory.Token(SyntaxKind.AsyncKeyword).WithTrailingTrivia(SyntaxFactory.Space);
        var asynchronous = method.WithBody(changed);
        return method.Modifiers.Count > 0
            ? asynchronous.AddModifiers(keyword)
            : asynchronous.WithReturnType(method.ReturnType.WithoutLeadingTrivia()).WithModifiers([keyword.WithLeadingTrivia(method.ReturnType.GetLeadingTrivia())]);
    }
}
