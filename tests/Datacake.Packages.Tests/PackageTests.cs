using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Datacake.Packages.Tests;

/// <summary>The packages have what NuGet checks and shows.</summary>
public partial class PackageTests(PackageFeed feed)
{
    static readonly Guid SourceLink = new("CC110556-A091-4D38-9FEC-25AB9A351A6A");
    static readonly Guid EmbeddedSource = new("0E8A571B-6926-466E-B4AD-8AB04611F5FE");

    public static TheoryData<string> Ids => [.. Repository.PackableProjects.Keys.Order(StringComparer.Ordinal)];

    public static TheoryData<string> IdsWithAssembly => [.. Repository.PackableProjects.Keys.Where(HasAssembly).Order(StringComparer.Ordinal)];

    [Fact]
    public void Every_packable_project_has_a_package_and_symbols_of_its_assembly()
    {
        var expected = Repository.PackableProjects.Keys.Select(id => $"{id}.{feed.Version}.nupkg")
            .Concat(Repository.PackableProjects.Keys.Where(HasAssembly).Select(id => $"{id}.{feed.Version}.snupkg"));

        Assert.Equal(expected.Order(StringComparer.Ordinal), Directory.EnumerateFiles(feed.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Ids))]
    public void Package_says_what_it_is_and_where_it_comes_from(string id)
    {
        using var package = feed.Open(id);

        Assert.Equal("MIT", (string?)package["license"]);
        Assert.Equal("expression", (string?)package["license"]!.Attribute("type"));
        Assert.NotEmpty((string?)package["authors"] ?? "");
        Assert.NotEmpty((string?)package["tags"] ?? "");
        Assert.NotEqual("Package Description", (string?)package["description"] ?? "Package Description");
        Assert.StartsWith("https://", package.RepositoryUrl, StringComparison.Ordinal);
        Assert.Equal("git", (string?)package["repository"]!.Attribute("type"));
        Assert.Equal(package.RepositoryUrl, (string?)package["projectUrl"]);
        Assert.Equal($"{SourceAddressOf(package)}CHANGELOG.md", (string?)package["releaseNotes"]);
    }

    [Theory]
    [MemberData(nameof(Ids))]
    public void Package_has_an_icon_of_128_by_128_pixels(string id)
    {
        using var package = feed.Open(id);

        byte[] icon = package.Read((string)package["icon"]!)!;

        Assert.Equal("PNG"u8, icon.AsSpan(1, 3));
        Assert.Equal(128, BinaryPrimitives.ReadInt32BigEndian(icon.AsSpan(16)));
        Assert.Equal(128, BinaryPrimitives.ReadInt32BigEndian(icon.AsSpan(20)));
    }

    [Theory]
    [MemberData(nameof(Ids))]
    public void Readme_is_that_of_the_project_with_every_link_made_absolute(string id)
    {
        using var package = feed.Open(id);
        string folder = Path.GetDirectoryName(Repository.PackableProjects[id])!;
        string source = File.ReadAllText(Path.Combine(folder, "README.md"));

        string packaged = Encoding.UTF8.GetString(package.Read((string)package["readme"]!)!);

        Assert.Equal(RemoveTargets(source), RemoveTargets(packaged));
        Assert.All(LinksOf(source).Zip(LinksOf(packaged)), link =>
        {
            var (written, absolute) = link;
            if (written.Contains("://", StringComparison.Ordinal))
            {
                Assert.Equal(written, absolute);
                return;
            }
            Assert.StartsWith(SourceAddressOf(package), absolute, StringComparison.Ordinal);
            Assert.Equal(written.EndsWith(".png", StringComparison.Ordinal), absolute.EndsWith(".png?raw=true", StringComparison.Ordinal));
            string[] parts = absolute[SourceAddressOf(package).Length..].Replace("?raw=true", "", StringComparison.Ordinal).Split('#');
            string target = Path.Combine(Repository.Root, parts[0]);
            Assert.True(Path.Exists(target), $"{absolute} leads to no file of the repository.");
            Assert.Equal(Path.GetFullPath(written[0] == '#' ? "README.md" : written.Split('#')[0], folder).TrimEnd('/'), target.TrimEnd('/'));
            Assert.Equal(written.Split('#')[1..], parts[1..]);
        });
    }

    [Theory]
    [MemberData(nameof(Ids))]
    public void Dependencies_are_the_references_of_the_project(string id)
    {
        using var package = feed.Open(id);
        var project = XDocument.Load(Repository.PackableProjects[id]);
        var versions = XDocument.Load(Path.Combine(Repository.Root, "Directory.Packages.props")).Descendants("PackageVersion")
            .ToDictionary(static entry => (string)entry.Attribute("Include")!, static entry => (string)entry.Attribute("Version")!);

        var projects = ReferencesOf("ProjectReference").Select(path => $"{Path.GetFileNameWithoutExtension(path)} {feed.Version}");
        var packages = ReferencesOf("PackageReference").Select(name => $"{name} {versions[name]}");

        Assert.Equal(
            package.IsTool ? [] : projects.Concat(packages).Order(StringComparer.Ordinal),
            package.Dependencies.Select(static entry => $"{entry.Attribute("id")!.Value} {entry.Attribute("version")!.Value}").Order(StringComparer.Ordinal));

        IEnumerable<string> ReferencesOf(string kind) => project.Descendants(kind)
            .Where(static reference => (string?)reference.Attribute("PrivateAssets") != "all")
            .Select(static reference => (string)reference.Attribute("Include")!);
    }

    [Theory]
    [MemberData(nameof(IdsWithAssembly))]
    public void Symbols_lead_to_the_source_of_every_file_and_name_no_folder_of_the_machine(string id)
    {
        Assert.SkipUnless(Repository.IsUnderGit, "The source tree is not a git repository, so the symbols cannot name a commit.");
        using var package = feed.Open(id);
        using var reader = MetadataReaderProvider.FromPortablePdbImage(ImmutableArray.Create(package.ReadSymbols($"{package.AssemblyFolder}/{id}.pdb")!));
        var symbols = reader.GetMetadataReader();

        string links = Encoding.UTF8.GetString(InformationOf(symbols, EntityHandle.ModuleDefinition, SourceLink)!);

        Assert.Contains("\"/_/*\":\"", links, StringComparison.Ordinal);
        Assert.Contains(CommitOf(package), links, StringComparison.Ordinal);
        Assert.All(symbols.Documents, handle => Assert.True(
            symbols.GetString(symbols.GetDocument(handle).Name).StartsWith("/_/", StringComparison.Ordinal) || InformationOf(symbols, handle, EmbeddedSource) is not null,
            $"{symbols.GetString(symbols.GetDocument(handle).Name)} is neither linked nor embedded."));
    }

    [Theory]
    [MemberData(nameof(IdsWithAssembly))]
    public void Assembly_is_built_deterministically_and_documented(string id)
    {
        using var package = feed.Open(id);
        using var assembly = new PEReader(ImmutableArray.Create(package.Read($"{package.AssemblyFolder}/{id}.dll")!));

        Assert.Contains(assembly.ReadDebugDirectory(), static entry => entry.Type == DebugDirectoryEntryType.Reproducible);
        if (!package.IsTool)
            Assert.NotNull(package.Read($"{package.AssemblyFolder}/{id}.xml"));
    }

    [Fact]
    public void Source_generator_is_in_the_package_of_the_ORM_and_flows_through_that_of_the_host()
    {
        using var data = feed.Open("Datacake.Data");
        using var hosting = feed.Open("Datacake.Hosting");

        var dependency = hosting.Dependencies.Single(static entry => entry.Attribute("id")!.Value == "Datacake.Data");

        Assert.NotNull(data.Read("analyzers/dotnet/cs/Datacake.Data.Analyzers.dll"));
        Assert.NotNull(data.Read("analyzers/dotnet/cs/Datacake.Data.Analyzers.CodeFixes.dll"));
        Assert.Equal("All", (string?)dependency.Attribute("include"));
        Assert.Null(dependency.Attribute("exclude"));
    }

    [Fact]
    public async Task Packing_without_an_address_of_the_repository_is_refused()
    {
        var (exitCode, output) = await DotnetCommand.RunAsync(Repository.Root, new Dictionary<string, string>(), TestContext.Current.CancellationToken,
            "msbuild", "src/Datacake.Crdt", "-t:CheckRepositoryUrl", "-nologo", "-p:RepositoryUrl=", "-p:PublishRepositoryUrl=false");

        Assert.NotEqual(0, exitCode);
        Assert.Contains("The package Datacake.Crdt has no repository address.", output, StringComparison.Ordinal);
    }

    /// <summary>Returns true if a package has an assembly, and not only templates.</summary>
    static bool HasAssembly(string id) => XDocument.Load(Repository.PackableProjects[id]).Descendants("PackageType").All(static type => type.Value != "Template");

    static string CommitOf(Package package) => (string?)package["repository"]!.Attribute("commit") ?? "HEAD";

    static string SourceAddressOf(Package package) => $"{package.RepositoryUrl}/blob/{CommitOf(package)}/";

    static string RemoveTargets(string document) => Link().Replace(document, static part => part.Groups["target"].Success ? "]()" : part.Value);

    static IEnumerable<string> LinksOf(string document) => Link().Matches(document).Select(static link => link.Groups["target"].Value).Where(static target => target.Length > 0);

    static byte[]? InformationOf(MetadataReader symbols, EntityHandle parent, Guid kind) => symbols.GetCustomDebugInformation(parent)
        .Select(symbols.GetCustomDebugInformation)
        .Where(information => symbols.GetGuid(information.Kind) == kind)
        .Select(information => symbols.GetBlobBytes(information.Value))
        .SingleOrDefault();

    /// <summary>A link, or code, which may look like one.</summary>
    [GeneratedRegex(@"^```.*?^```|`[^`\n]*`|\]\((?<target>[^)\s]+)\)", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Link();
}
