namespace Datacake.Packages.Tests;

/// <summary>The source tree that the packages are made from.</summary>
static class Repository
{
    /// <summary>Gets the root of the repository, which holds the solution.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>Gets whether the sources belong to a commit.</summary>
    public static bool IsUnderGit { get; } = Path.Exists(Path.Combine(Root, ".git"));

    /// <summary>Gets the project files of all packages, by the name of the package.</summary>
    public static IReadOnlyDictionary<string, string> PackableProjects { get; } = Directory.EnumerateDirectories(Path.Combine(Root, "src"))
        .Append(Path.Combine(Root, "tests", "Datacake.Storage.Specification"))
        .SelectMany(static folder => Directory.EnumerateFiles(folder, "*.csproj"))
        .ToDictionary(static path => Path.GetFileNameWithoutExtension(path));

    static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Datacake.Data.sln")))
                return folder.FullName;
        }
        throw new InvalidOperationException($"No folder above {AppContext.BaseDirectory} contains Datacake.Data.sln. Run the tests from their build output.");
    }
}
