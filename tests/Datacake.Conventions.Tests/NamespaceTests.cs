using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Datacake.Conventions.Tests;

/// <summary>
/// A namespace says where a file is: it is that of the folder. Public types are in the namespace of the project, whatever their folder, so that users need one using directive;
/// those that only generated code uses are hidden from completion, in a namespace of their own.
/// </summary>
public class NamespaceTests
{
    /// <summary>Files of many small types of one kind, such as the declarations of a native library, which are together as in its header.</summary>
    static readonly string[] Collections = ["NativeTypes", "ScalarCodecs", "CompositeCodecs", "Specs", "Configuration"];

    public static TheoryData<string> Projects => [.. Repository.ShippedProjects.Select(static project => project.Name)];

    [Theory]
    [MemberData(nameof(Projects))]
    public void Namespace_is_that_of_the_folder_or_of_the_project_for_public_types(string name)
    {
        var project = Repository.Projects.Single(project => project.Name == name);
        var types = project.Files.SelectMany(TypesOf).ToArray();
        var publicTypes = types.Where(static type => type.Modifiers.Any(SyntaxKind.PublicKeyword)).Select(KeyOf).ToHashSet();

        var misplaced = from type in types
                        let file = type.SyntaxTree
                        let folder = Path.GetDirectoryName(project.PathWithin(file))!
                        let expected = IsHidden(type) ? $"{name}.CodeGeneration"
                            : folder.Length == 0 || publicTypes.Contains(KeyOf(type)) ? name
                            : $"{name}.{folder.Replace('/', '.').Replace('\\', '.')}"
                        let actual = type.Ancestors().OfType<BaseNamespaceDeclarationSyntax>().First().Name.ToString()
                        where actual != expected && !actual.StartsWith("System.", StringComparison.Ordinal)
                        select $"{project.PathWithin(file)}: {NameOf(type)} is in {actual}, expected {expected}";

        Assert.Empty(misplaced);
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void File_is_named_for_the_types_in_it(string name)
    {
        var project = Repository.Projects.Single(project => project.Name == name);

        var misnamed = from file in project.Files
                       let types = TypesOf(file).Select(NameOf).ToArray()
                       let title = Path.GetFileName(file.FilePath).Split('.')[0]
                       where types.Length > 0 && !Collections.Contains(title) && !types.Contains(title) && !types.Contains(title.Replace("OfT", "", StringComparison.Ordinal))
                       select $"{project.PathWithin(file)} has {string.Join(", ", types)}";

        Assert.Empty(misnamed);
    }

    static IEnumerable<MemberDeclarationSyntax> TypesOf(SyntaxTree file) => file.GetRoot().DescendantNodes().OfType<MemberDeclarationSyntax>()
        .Where(static member => (member is BaseTypeDeclarationSyntax or DelegateDeclarationSyntax) && member.Parent is BaseNamespaceDeclarationSyntax);

    static bool IsHidden(MemberDeclarationSyntax type) => type.AttributeLists.SelectMany(static list => list.Attributes).Any(static attribute => attribute.Name.ToString() == "EditorBrowsable");

    static string KeyOf(MemberDeclarationSyntax type) => $"{NameOf(type)}`{type switch
    {
        TypeDeclarationSyntax declaration => declaration.Arity,
        DelegateDeclarationSyntax declaration => declaration.Arity,
        _ => 0,
    }}";

    static string NameOf(MemberDeclarationSyntax type) => type switch
    {
        BaseTypeDeclarationSyntax declaration => declaration.Identifier.ValueText,
        DelegateDeclarationSyntax declaration => declaration.Identifier.ValueText,
        _ => throw new ArgumentException("The member is not a type.", nameof(type)),
    };
}
