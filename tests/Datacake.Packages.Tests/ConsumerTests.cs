using System.Runtime.InteropServices;
using System.Xml.Linq;

namespace Datacake.Packages.Tests;

/// <summary>Applications outside of the repository are built from the packages, and run.</summary>
public class ConsumerTests(PackageFeed feed)
{
    const string Model = """
        using Datacake.Data;
        using Datacake.Node;

        public sealed class Cake
        {
            public long Id { get; set; }
            public string Name { get; set; } = "";
            [Index] public decimal Price { get; set; }
            public HashSet<string> Tags { get; set; } = [];
        }

        public sealed partial class Bakery(DatacakeNode node) : DatacakeContext(node)
        {
            public partial Keyspace<Cake> Cakes { get; }
        }
        """;

    const string Saving = """
        db.Cakes.Add(new Cake { Name = "Battenberg", Price = 12, Tags = { "almond" } });
        db.Cakes.Add(new Cake { Name = "Madeira", Price = 9 });
        await db.SaveChangesAsync();
        """;

    const string Printing = """
        foreach (var cake in await db.Cakes.Where(c => c.Price < 20).OrderBy(c => c.Price).ToListAsync())
            Console.WriteLine($"{cake.Name} costs {cake.Price}, {cake.Tags.Count} tags");
        """;

    const string Printed = "Madeira costs 9, 0 tags\nBattenberg costs 12, 1 tags\n";

    const string NodeInConsole = $$"""
        using Datacake.Data;
        using Datacake.Node;
        using Datacake.Sqlite;

        await using var node = await DatacakeNode.StartAsync(options => options.WithNodeId(1).ListenOn("127.0.0.1:0").UseSqlite("bakery.db"));
        await using var db = new Bakery(node);
        {{Saving}}
        {{Printing}}
        """;

    static readonly string Version = XDocument.Load(Path.Combine(Repository.Root, "Directory.Packages.props")).Descendants("PackageVersion")
        .Single(static entry => (string?)entry.Attribute("Include") == "Microsoft.Extensions.Hosting").Attribute("Version")!.Value;

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Console_application_runs()
    {
        string folder = Create("Console", "Microsoft.NET.Sdk", NodeInConsole, "", [Ours("Datacake.Data"), Ours("Datacake.Sqlite")]);

        await feed.BuildAsync(folder);

        Assert.Equal(Printed, await RunAsync(folder, "dotnet", "bin/Debug/net10.0/Console.dll"));
    }

    [Fact]
    public async Task Web_application_that_references_the_host_and_a_storage_runs()
    {
        const string Program = $$"""
            using System.Net;
            using Datacake.Data;
            using Datacake.Hosting;
            using Datacake.Sqlite;

            var builder = WebApplication.CreateBuilder(args);
            builder.Logging.ClearProviders();
            builder.WebHost.UseUrls("http://127.0.0.1:0");
            builder.Services.AddDatacake(options => options.WithNodeId(1).ListenOn("127.0.0.1:0").UseSqlite("bakery.db"));
            builder.Services.AddDatacakeContext(node => new Bakery(node));
            builder.Services.AddHealthChecks().AddDatacake();
            await using var app = builder.Build();
            app.MapHealthChecks("/health");
            app.MapGet("/cakes", (Bakery db) => db.Cakes.Where(c => c.Price < 20).OrderBy(c => c.Price).ToListAsync());
            app.MapPost("/cakes", async (Cake cake, Bakery db) =>
            {
                db.Cakes.Add(cake);
                await db.SaveChangesAsync();
            });
            await app.StartAsync();

            using var client = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
            foreach (var cake in new Cake[] { new() { Name = "Battenberg", Price = 12, Tags = { "almond" } }, new() { Name = "Madeira", Price = 9 } })
                (await client.PostAsJsonAsync("/cakes", cake)).EnsureSuccessStatusCode();
            foreach (var cake in (await client.GetFromJsonAsync<Cake[]>("/cakes"))!)
                Console.WriteLine($"{cake.Name} costs {cake.Price}, {cake.Tags.Count} tags");
            Console.WriteLine(await client.GetStringAsync("/health"));
            await app.StopAsync();
            """;
        string folder = Create("Web", "Microsoft.NET.Sdk.Web", Program, "", [Ours("Datacake.Hosting"), Ours("Datacake.Sqlite")]);

        await feed.BuildAsync(folder);

        Assert.Equal(Printed + "Healthy\n", await RunAsync(folder, "dotnet", "bin/Debug/net10.0/Web.dll"));
    }

    [Fact]
    public async Task Worker_that_references_the_host_and_a_storage_runs()
    {
        const string Program = $$"""
            using Datacake.Data;
            using Datacake.Hosting;
            using Datacake.Lmdb;

            var builder = Host.CreateApplicationBuilder(args);
            builder.Logging.ClearProviders();
            builder.Services.AddDatacake(options => options.WithNodeId(1).ListenOn("127.0.0.1:0").UseLmdb("bakery.mdb"));
            builder.Services.AddDatacakeContext(node => new Bakery(node));
            builder.Services.AddHostedService<Baker>();
            builder.Build().Run();

            sealed class Baker(IDatacakeContextFactory<Bakery> contexts, IHostApplicationLifetime lifetime) : BackgroundService
            {
                protected override async Task ExecuteAsync(CancellationToken stoppingToken)
                {
                    await using var db = contexts.CreateContext();
                    {{Saving}}
                    {{Printing}}
                    lifetime.StopApplication();
                }
            }
            """;
        string folder = Create("Worker", "Microsoft.NET.Sdk.Worker", Program, "",
            [Ours("Datacake.Hosting"), Ours("Datacake.Lmdb"), ("Microsoft.Extensions.Hosting", Version)]);

        await feed.BuildAsync(folder);

        Assert.Equal(Printed, await RunAsync(folder, "dotnet", "bin/Debug/net10.0/Worker.dll"));
    }

    [Fact]
    public async Task Application_that_is_compiled_ahead_of_time_runs()
    {
        Assert.SkipUnless(IsOnPath("clang") || IsOnPath("gcc") || OperatingSystem.IsWindows(), "Compiling ahead of time needs clang or gcc to link with.");
        string folder = Create("Ahead", "Microsoft.NET.Sdk", NodeInConsole, "<PublishAot>true</PublishAot><InvariantGlobalization>true</InvariantGlobalization>",
            [Ours("Datacake.Data"), Ours("Datacake.Sqlite")]);

        // Without the optimizer, to save time: the sample that is compiled ahead of time has it.
        await feed.BuildAsync(folder, "publish", "-c", "Debug", "-r", RuntimeInformation.RuntimeIdentifier, "-o", "published");

        Assert.Equal(Printed, await RunAsync(folder, Path.Combine(folder, "published", "Ahead")));
    }

    static bool IsOnPath(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, program)));

    (string Id, string Version) Ours(string id) => (id, feed.Version);

    /// <summary>Writes an application that takes Datacake from the feed, and everything else from where the machine takes it.</summary>
    string Create(string name, string sdk, string program, string properties, IEnumerable<(string Id, string Version)> packages)
    {
        string folder = Directory.CreateDirectory(Path.Combine(feed.Folder, "consumers", name)).FullName;
        feed.Configure(folder);
        File.WriteAllText(Path.Combine(folder, $"{name}.csproj"), $"""
            <Project Sdk="{sdk}">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <Nullable>enable</Nullable>
                <ImplicitUsings>enable</ImplicitUsings>
                <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
                <NuGetAudit>false</NuGetAudit>
                {properties}
              </PropertyGroup>
              <ItemGroup>
                {string.Join("\n    ", packages.Select(static package => $"""<PackageReference Include="{package.Id}" Version="{package.Version}" />"""))}
              </ItemGroup>
            </Project>
            """);
        File.WriteAllText(Path.Combine(folder, "Bakery.cs"), Model);
        File.WriteAllText(Path.Combine(folder, "Program.cs"), program);
        return folder;
    }

    static async Task<string> RunAsync(string folder, string program, params string[] arguments)
    {
        var (exitCode, output) = await DotnetCommand.StartAsync(program, folder, new Dictionary<string, string>(), Cancellation, arguments);
        Assert.True(exitCode == 0, output);
        return output;
    }
}
