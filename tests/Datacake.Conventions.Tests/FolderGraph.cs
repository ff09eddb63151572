using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Datacake.Conventions.Tests;

/// <summary>The references between the folders of a project: an edge for each pair of folders of which one uses a type or member of the other.</summary>
sealed class FolderGraph
{
    readonly Dictionary<string, SortedDictionary<string, List<string>>> _edges = [];

    /// <summary>Computes the graph of a project, with all references.</summary>
    public static FolderGraph Of(SourceProject project) => Of(project, static (_, _, _) => true);

    /// <summary>
    /// Computes the graph of a project, with one reference for each edge. Names that can add no edge are not bound, which saves most of the time: names that no
    /// other folder declares, or only folders to which there is an edge already.
    /// </summary>
    public static FolderGraph WithoutRepeats(SourceProject project)
    {
        var declarations = FoldersOfNames(project);
        return Of(project, (graph, from, name) => declarations.TryGetValue(name.Identifier.ValueText, out var folders)
            && folders.Any(folder => folder != from && !graph.HasEdge(from, folder)));
    }

    static FolderGraph Of(SourceProject project, Func<FolderGraph, string, SimpleNameSyntax, bool> isBound)
    {
        var graph = new FolderGraph();
        foreach (var file in project.Files)
        {
            SemanticModel? model = null;
            string from = project.FolderOf(file);
            foreach (var name in file.GetRoot().DescendantNodes(descendIntoTrivia: false).OfType<SimpleNameSyntax>())
            {
                if (!isBound(graph, from, name))
                    continue;
                model ??= project.Compilation.GetSemanticModel(file);
                if (model.GetSymbolInfo(name).Symbol is { } symbol && DeclarationOf(symbol) is { } declaration)
                {
                    foreach (var reference in declaration.DeclaringSyntaxReferences.Take(1))
                        graph.Add(from, project.FolderOf(reference.SyntaxTree), () => $"{project.PathWithin(file)}:{LineOf(name)} {name} ({project.PathWithin(reference.SyntaxTree)})");
                }
            }
        }
        return graph;
    }

    /// <summary>Returns the folders in which each name is declared. A using alias stands for a type of any folder.</summary>
    static Dictionary<string, HashSet<string>> FoldersOfNames(SourceProject project)
    {
        const string Suffix = "Attribute";
        var folders = new Dictionary<string, HashSet<string>>();
        string[] all = [.. project.Files.Select(project.FolderOf).Distinct()];
        foreach (var file in project.Files)
        {
            string folder = project.FolderOf(file);
            foreach (var node in file.GetRoot().DescendantNodes(descendIntoTrivia: false))
            {
                if (node is UsingDirectiveSyntax { Alias: { } alias })
                    Array.ForEach(all, any => Declare(alias.Name.Identifier.ValueText, any));
                else if (NameOf(node) is { } name)
                    Declare(name, folder);
            }
        }
        return folders;

        void Declare(string name, string folder)
        {
            if (!folders.TryGetValue(name, out var declaring))
                folders[name] = declaring = [];
            declaring.Add(folder);
            if (name.Length > Suffix.Length && name.EndsWith(Suffix, StringComparison.Ordinal))
                Declare(name[..^Suffix.Length], folder);
        }
    }

    static string? NameOf(SyntaxNode node) => node switch
    {
        BaseTypeDeclarationSyntax type => type.Identifier.ValueText,
        DelegateDeclarationSyntax type => type.Identifier.ValueText,
        MethodDeclarationSyntax method => method.Identifier.ValueText,
        PropertyDeclarationSyntax property => property.Identifier.ValueText,
        EventDeclarationSyntax member => member.Identifier.ValueText,
        EnumMemberDeclarationSyntax member => member.Identifier.ValueText,
        VariableDeclaratorSyntax { Parent.Parent: BaseFieldDeclarationSyntax } field => field.Identifier.ValueText,
        TupleElementSyntax element => element.Identifier.ValueText,
        ParameterSyntax { Parent.Parent: TypeDeclarationSyntax } property => property.Identifier.ValueText,
        _ => null,
    };

    /// <summary>Returns the groups of folders that reach each other, with a reference for each edge within them.</summary>
    public IReadOnlyList<string> Cycles()
    {
        string[] folders = [.. _edges.Keys.Union(_edges.Values.SelectMany(static targets => targets.Keys)).Order(StringComparer.Ordinal)];
        var reachable = folders.ToDictionary(static folder => folder, Reach);
        return [.. folders
            .GroupBy(folder => string.Join(", ", folders.Where(other => other == folder || (reachable[folder].Contains(other) && reachable[other].Contains(folder)))))
            .Where(static group => group.Count() > 1)
            .Select(group => Describe([.. group]))];
    }

    static ISymbol? DeclarationOf(ISymbol symbol) => symbol switch
    {
        INamespaceSymbol or IParameterSymbol or ILocalSymbol or ITypeParameterSymbol or IRangeVariableSymbol or ILabelSymbol => null,
        IMethodSymbol { ReducedFrom: { } reduced } => reduced.OriginalDefinition,
        _ => symbol.OriginalDefinition,
    };

    static int LineOf(SyntaxNode node) => node.GetLocation().GetLineSpan().StartLinePosition.Line + 1;

    bool HasEdge(string from, string to) => _edges.TryGetValue(from, out var targets) && targets.ContainsKey(to);

    void Add(string from, string to, Func<string> reference)
    {
        if (from == to)
            return;
        if (!_edges.TryGetValue(from, out var targets))
            _edges[from] = targets = [];
        if (!targets.TryGetValue(to, out var references))
            targets[to] = references = [];
        references.Add(reference());
    }

    HashSet<string> Reach(string start)
    {
        var reached = new HashSet<string>();
        var waiting = new Stack<string>([start]);
        while (waiting.TryPop(out string? folder))
        {
            foreach (string target in _edges.TryGetValue(folder, out var targets) ? targets.Keys : Enumerable.Empty<string>())
            {
                if (reached.Add(target))
                    waiting.Push(target);
            }
        }
        return reached;
    }

    string Describe(string[] cycle)
    {
        var lines = from source in cycle
                    where _edges.ContainsKey(source)
                    from edge in _edges[source]
                    where cycle.Contains(edge.Key)
                    orderby edge.Value.Count
                    select $"  {Name(source)} -> {Name(edge.Key)}, {edge.Value.Count}: {string.Join("; ", edge.Value.Take(5))}";
        return $"Folders {string.Join(", ", cycle.Select(Name))} use each other:{Environment.NewLine}{string.Join(Environment.NewLine, lines)}";
    }

    static string Name(string folder) => folder.Length == 0 ? "(project)" : folder;
}
