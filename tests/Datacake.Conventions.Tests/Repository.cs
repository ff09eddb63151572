namespace Datacake.Conventions.Tests;

/// <summary>The source tree that the tests were built from.</summary>
static class Repository
{
    static readonly string[] Groups = ["src", "analyzers", "tests", "samples"];

    static readonly Lazy<IReadOnlyList<SourceProject>> LoadedProjects = new(FindProjects);

    /// <summary>Gets the root of the repository, which holds the solution.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>Gets all projects, in the order of their paths.</summary>
    public static IReadOnlyList<SourceProject> Projects => LoadedProjects.Value;

    /// <summary>Gets the projects that ship as packages.</summary>
    public static IEnumerable<SourceProject> ShippedProjects => Projects.Where(static project => project.IsShipped);

    static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Datacake.Data.sln")))
                return folder.FullName;
        }
        throw new InvalidOperationException($"No folder above {AppContext.BaseDirectory} contains Datacake.Data.sln. Run the tests from their build output.");
    }

    static SourceProject[] FindProjects() => [.. Groups
        .SelectMany(static group => Directory.EnumerateFiles(Path.Combine(Root, group), "*.csproj", SearchOption.AllDirectories))
        .Where(static path => !SourceProject.IsOutside(path))
        .Order(StringComparer.Ordinal)
        .Select(static path => new SourceProject(path))];
}
