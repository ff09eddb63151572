using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Text;

namespace Datacake.Readme.Tests;

/// <summary>A C# block of a document.</summary>
/// <param name="Number">The position among the C# blocks of the document, from 1 on.</param>
/// <param name="Line">The number of the first line of the block in the document.</param>
/// <param name="Text">The text of the block.</param>
sealed record Sample(int Number, int Line, string Text)
{
    readonly CompilationUnitSyntax _root = CSharpSyntaxTree.ParseText(Text, SampleProgram.ParseOptions).GetCompilationUnitRoot();

    /// <summary>Gets whether the block is a file of its own, since it has a namespace.</summary>
    public bool IsFile => _root.Members.OfType<FileScopedNamespaceDeclarationSyntax>().Any();

    /// <summary>Returns the using directives of the block.</summary>
    public string UsingsOf(string document) => Cut(document, _root.Usings);

    /// <summary>Returns the types that the block declares.</summary>
    public string TypesOf(string document) => Cut(document, _root.Members.Where(IsType));

    /// <summary>Returns what else the block has: statements, or members of a type.</summary>
    public string StatementsOf(string document) => Cut(document, _root.Members.Where(static member => !IsType(member)));

    static bool IsType(MemberDeclarationSyntax member) => member is BaseTypeDeclarationSyntax or DelegateDeclarationSyntax;

    /// <summary>Copies nodes, each with the line where it is in the document, so that errors name it.</summary>
    string Cut(string document, IEnumerable<Microsoft.CodeAnalysis.SyntaxNode> nodes)
    {
        var text = SourceText.From(Text);
        return string.Concat(nodes.Select(node =>
            $"\n#line {Line + text.Lines.IndexOf(node.FullSpan.Start)} \"{document}\"\n{Samples.Localize(node.ToFullString())}\n#line default\n"));
    }
}
