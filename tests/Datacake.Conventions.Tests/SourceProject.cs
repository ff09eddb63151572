using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Datacake.Conventions.Tests;

/// <summary>A project of the repository with its C# files.</summary>
/// <remarks>
/// References that only the project itself has, such as packages of the benchmarks, are not resolved. References within the project are, and only these count here.
/// </remarks>
sealed class SourceProject
{
    static readonly CSharpParseOptions ParseOptions = new(LanguageVersion.Latest, DocumentationMode.Parse, preprocessorSymbols: ["NET10_0", "NET"]);

    static readonly CSharpCompilationOptions CompilationOptions =
        new(OutputKind.DynamicallyLinkedLibrary, allowUnsafe: true, nullableContextOptions: NullableContextOptions.Enable);

    const string ImplicitUsings = """
        global using System;
        global using System.Collections.Generic;
        global using System.IO;
        global using System.Linq;
        global using System.Net.Http;
        global using System.Threading;
        global using System.Threading.Tasks;
        global using Xunit;
        """;

    /// <summary>Shared by all projects, so that each assembly is read once.</summary>
    static readonly Lazy<IReadOnlyDictionary<string, MetadataReference>> References = new(static () => ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!)
        .Split(Path.PathSeparator)
        .DistinctBy(static path => Path.GetFileNameWithoutExtension(path))
        .ToDictionary(static path => Path.GetFileNameWithoutExtension(path), static path => (MetadataReference)MetadataReference.CreateFromFile(path)));

    readonly Lazy<IReadOnlyList<SyntaxTree>> _files;
    readonly Lazy<CSharpCompilation> _compilation;

    public SourceProject(string path)
    {
        Directory = Path.GetDirectoryName(path)!;
        Name = Path.GetFileNameWithoutExtension(path);
        _files = new(Parse);
        _compilation = new(Compile);
    }

    public string Name { get; }

    public string Directory { get; }

    /// <summary>True for a project whose code runs in applications.</summary>
    public bool IsShipped => Path.GetFileName(Path.GetDirectoryName(Directory)) is "src" or "analyzers" || Name == "Datacake.Storage.Specification";

    public IReadOnlyList<SyntaxTree> Files => _files.Value;

    public CSharpCompilation Compilation => _compilation.Value;

    /// <summary>Returns true if a file belongs to no project: output of a build, or content of a template.</summary>
    public static bool IsOutside(string path)
    {
        string[] folders = path.Split(Path.DirectorySeparatorChar);
        return folders.Contains("bin") || folders.Contains("obj") || folders.Contains("templates");
    }

    /// <summary>Returns the path of a file within the project, with slashes.</summary>
    public string PathWithin(SyntaxTree file) => Path.GetRelativePath(Directory, file.FilePath).Replace('\\', '/');

    /// <summary>Returns the first folder of a file within the project, or an empty string for the files beside the project.</summary>
    public string FolderOf(SyntaxTree file) => PathWithin(file) is var path && path.IndexOf('/', StringComparison.Ordinal) is > 0 and var end ? path[..end] : "";

    public override string ToString() => Name;

    IReadOnlyList<SyntaxTree> Parse() => [.. System.IO.Directory.EnumerateFiles(Directory, "*.cs", SearchOption.AllDirectories)
        .Where(static path => !IsOutside(path))
        .Order(StringComparer.Ordinal)
        .Select(static path => CSharpSyntaxTree.ParseText(File.ReadAllText(path), ParseOptions, path))];

    CSharpCompilation Compile()
    {
        var references = References.Value.Where(assembly => assembly.Key != Name).Select(static assembly => assembly.Value);
        return CSharpCompilation.Create(Name, [.. Files, CSharpSyntaxTree.ParseText(ImplicitUsings, ParseOptions)], references, CompilationOptions);
    }
}
