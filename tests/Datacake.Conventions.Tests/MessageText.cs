using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Datacake.Conventions.Tests;

/// <summary>Reads the text of messages in code.</summary>
static class MessageText
{
    /// <summary>
    /// True if an expression is a message that must be a sentence: one that begins with a capital. A message that begins with a small letter, or with a value, is a clause
    /// that another message contains.
    /// </summary>
    public static bool IsUnfinished(ExpressionSyntax expression) =>
        StartOf(expression) is { Length: > 0 } start && char.IsUpper(start[0]) && EndOf(expression) is { } end && !IsSentence(end);

    static string? StartOf(ExpressionSyntax expression) => expression switch
    {
        LiteralExpressionSyntax literal when literal.IsKind(SyntaxKind.StringLiteralExpression) => literal.Token.ValueText,
        InterpolatedStringExpressionSyntax interpolated => interpolated.Contents.FirstOrDefault() is InterpolatedStringTextSyntax text ? text.TextToken.ValueText : null,
        BinaryExpressionSyntax sum when sum.IsKind(SyntaxKind.AddExpression) => StartOf(sum.Left),
        ParenthesizedExpressionSyntax parenthesized => StartOf(parenthesized.Expression),
        _ => null,
    };

    /// <summary>Returns the last piece of text of an expression, or null if it is not a message: no text, one word, or the value of a variable.</summary>
    static string? EndOf(ExpressionSyntax expression) => expression switch
    {
        LiteralExpressionSyntax literal when literal.IsKind(SyntaxKind.StringLiteralExpression) => Sentence(literal.Token.ValueText),
        InterpolatedStringExpressionSyntax interpolated => interpolated.Contents.LastOrDefault() is InterpolatedStringTextSyntax text ? Sentence(interpolated, text) : null,
        BinaryExpressionSyntax sum when sum.IsKind(SyntaxKind.AddExpression) => EndOf(sum.Right),
        ParenthesizedExpressionSyntax parenthesized => EndOf(parenthesized.Expression),
        ConditionalExpressionSyntax conditional => EndOf(conditional.WhenTrue) is { } end && !IsSentence(end) ? end : EndOf(conditional.WhenFalse),
        _ => null,
    };

    /// <summary>True if a message ends as a sentence does, or with a value, which may be a sentence.</summary>
    static bool IsSentence(string end) => end.TrimEnd().TrimEnd('"', '\'', ')') is var text && text.Length > 0 && text[^1] is '.' or '?' or '!' or ':' or '}';

    static string? Sentence(string text) => text.Contains(' ', StringComparison.Ordinal) ? text : null;

    static string? Sentence(InterpolatedStringExpressionSyntax message, InterpolatedStringTextSyntax last) =>
        message.Contents.ToString().Contains(' ', StringComparison.Ordinal) ? last.TextToken.ValueText : null;
}
