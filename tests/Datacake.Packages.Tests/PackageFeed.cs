using Datacake.Packages.Tests;

[assembly: AssemblyFixture(typeof(PackageFeed))]

namespace Datacake.Packages.Tests;

/// <summary>All packages of the repository, packed as for a release into a folder that is a feed. Everything is built in a temporary folder.</summary>
public sealed class PackageFeed : IAsyncLifetime
{
    // The remote of the packages, by a name of its own: a clone may have no remote, or one without a web address.
    const string Address = "https://github.com/owner/repository";
    const string Remote = $"""
        [remote "packages"]
            url = {Address}.git
        """;

    static readonly string Home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);

    /// <summary>Gets the temporary folder, which is outside of the repository.</summary>
    public string Folder { get; } = Directory.CreateTempSubdirectory("datacake-packages-").FullName;

    /// <summary>Gets the version of the packages, which differs in each run.</summary>
    public string Version { get; } = $"0.1.0-test.{DateTime.UtcNow:yyyyMMddHHmmssfff}";

    /// <summary>Gets the folder of the packages.</summary>
    public string Path => System.IO.Path.Combine(Folder, "feed");

    /// <summary>Gets the folder of packages that the machine already has, which restores need not fetch again.</summary>
    public static string MachinePackages => Environment.GetEnvironmentVariable("NUGET_PACKAGES") ?? System.IO.Path.Combine(Home, ".nuget", "packages");

    public async ValueTask InitializeAsync()
    {
        Directory.CreateDirectory(System.IO.Path.Combine(Folder, "git"));
        await File.WriteAllTextAsync(System.IO.Path.Combine(Folder, "git", "config"), Remote);
        var environment = new Dictionary<string, string> { ["CI"] = "true", ["XDG_CONFIG_HOME"] = Folder };
        string[] command =
        [
            "pack", "Packages.slnf", "-c", "Release", "-v", "quiet", "--nologo", "-o", Path, "--artifacts-path", System.IO.Path.Combine(Folder, "artifacts"),
            $"-p:Version={Version}", "-p:RunAnalyzers=false", "-p:GitRepositoryConfigurationScope=", "-p:GitRepositoryRemoteName=packages",
        ];
        var (exitCode, output) = await DotnetCommand.RunAsync(Repository.Root, environment, TestContext.Current.CancellationToken,
            Repository.IsUnderGit ? command : [.. command, $"-p:RepositoryUrl={Address}"]);
        Assert.True(exitCode == 0, output);
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(Folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    /// <summary>Lets the projects in a folder take Datacake from this feed, and everything else from where the machine takes it.</summary>
    public void Configure(string folder) => File.WriteAllText(System.IO.Path.Combine(folder, "nuget.config"), $"""
        <configuration>
          <packageSources>
            <add key="datacake" value="{Path}" />
          </packageSources>
          <fallbackPackageFolders>
            <add key="machine" value="{MachinePackages}" />
          </fallbackPackageFolders>
        </configuration>
        """);

    /// <summary>Runs a command of the .NET SDK, by default <c>build</c>, on the project or solution in a folder.</summary>
    public async Task BuildAsync(string folder, params string[] command)
    {
        // The packages of Datacake go to a folder of this run, so that no other copy of them is ever used.
        var environment = new Dictionary<string, string> { ["NUGET_PACKAGES"] = System.IO.Path.Combine(Folder, "cache") };
        var (exitCode, output) = await DotnetCommand.RunAsync(folder, environment, TestContext.Current.CancellationToken, [.. command.DefaultIfEmpty("build"), "-v", "quiet", "--nologo"]);
        Assert.True(exitCode == 0, output);
    }

    /// <summary>Opens a package for reading.</summary>
    public Package Open(string id) => new(System.IO.Path.Combine(Path, $"{id}.{Version}"));
}
