using System.Text.RegularExpressions;
using Datacake.EventualConsistency;
using Datacake.Node;
using Datacake.Quickstart;
using Datacake.Rpc;
using Datacake.Rpc.Tests.Fixtures;
using Datacake.Storage;

namespace Datacake.Readme.Tests;

/// <summary>The surroundings of the samples: the other nodes of their cluster, addresses, files, and a console that is read.</summary>
public static partial class Samples
{
    /// <summary>The secret of the clusters of samples.</summary>
    public const string Secret = "0123456789abcdefghijklmnopqrstuv";

    static readonly SortedSet<int> Reached = [];
    static ReservedAddresses _reserved = new();
    static string[] _addresses = _reserved.Next(3);
    static StringWriter _output = new();

    /// <summary>Gets what has been written to the console since the last call.</summary>
    public static string TakeOutput()
    {
        string output = _output.ToString().ReplaceLineEndings("\n");
        _output.GetStringBuilder().Clear();
        return output;
    }

    /// <summary>Records that a sample has run, and has done what the document says.</summary>
    public static void Reach(int sample) => Reached.Add(sample);

    /// <summary>Gets the address of a node of the samples' cluster, from 1 to 3.</summary>
    public static string AddressOf(int node) => _addresses[node - 1];

    /// <summary>Replaces the addresses and folders that samples name, so that they run on any machine and side by side with others.</summary>
    public static string Localize(string text) => RootFolder().Replace(
        Address().Replace(text, static address => AddressOf(int.Parse(address.Groups["node"].ValueSpan, null))), "\"$1");

    /// <summary>Starts another node of the samples' cluster, with the seeds of the samples, and opens its store.</summary>
    public static async Task<DatacakeNode> StartNodeAsync(int id, Action<DatacakeNodeOptions>? configure = null, bool withStore = true)
    {
        var node = await DatacakeNode.StartAsync(options =>
        {
            options.WithNodeId(id).ListenOn(AddressOf(id));
            configure?.Invoke(options);
            if (withStore && configure is null)
                options.WithSeeds(AddressOf(1), AddressOf(2), AddressOf(3)).UseMemory();
        });
        if (withStore)
            await node.OpenStoreAsync();
        return node;
    }

    /// <summary>Adds the seeds of the samples, the secret and a store in memory.</summary>
    public static void Secured(DatacakeNodeOptions options) =>
        options.WithSeeds(AddressOf(1), AddressOf(2), AddressOf(3)).WithClusterSecret(Secret).UseMemory();

    /// <summary>Starts a PostgreSQL server, and returns the connection string of an empty database.</summary>
    public static async Task<(string ConnectionString, IAsyncDisposable Server)> StartPostgreSqlAsync()
    {
        Assert.SkipWhen(PostgreSqlServer.FindPrograms() is null, "PostgreSQL is not installed.");
        var server = await PostgreSqlServer.StartAsync();
        return (server.ConnectionString, server);
    }

    /// <summary>Waits until a condition holds.</summary>
    public static Task WaitUntilAsync(Func<bool> condition, string what) => Eventually.WaitUntilAsync(condition, what);

    /// <inheritdoc cref="WaitUntilAsync(Func{bool}, string)"/>
    public static Task WaitUntilAsync(Func<Task<bool>> condition, string what) => Eventually.WaitUntilAsync(condition, what);

    /// <summary>Creates a network that can be cut off.</summary>
    public static (ITransport Network, Func<ValueTask> Cut) CreateNetwork()
    {
        var network = new SeverableTransport(new TcpTransport());
        return (network, network.SeverAsync);
    }

    /// <summary>Writes a certificate for this machine and its issuer to the working folder, as PFX and PEM.</summary>
    public static void WriteCertificates(string password)
    {
        using var authority = new TestAuthority();
        using var certificate = authority.Issue("shop.cluster");
        using var key = System.Security.Cryptography.X509Certificates.ECDsaCertificateExtensions.GetECDsaPrivateKey(certificate)!;
        Directory.CreateDirectory("etc/tls");
        File.WriteAllBytes("node.pfx", certificate.Export(System.Security.Cryptography.X509Certificates.X509ContentType.Pfx, password));
        File.WriteAllText("cluster-ca.crt", authority.Certificate.ExportCertificatePem());
        File.WriteAllText("etc/tls/tls.crt", certificate.ExportCertificatePem());
        File.WriteAllText("etc/tls/tls.key", key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText("etc/tls/ca.crt", authority.Certificate.ExportCertificatePem());
    }

    /// <summary>Returns the first JSON block of a document, with the addresses of this machine.</summary>
    public static string JsonOf(string document) => Localize(Document.BlocksOf(document, "json").First().Text);

    /// <summary>Goes to an empty folder, and reads the console, until the result is disposed.</summary>
    internal static IDisposable Enter() => new Place();

    /// <summary>Returns the samples that have run.</summary>
    internal static int[] TakeReached()
    {
        int[] reached = [.. Reached];
        Reached.Clear();
        return reached;
    }

    // 10.0.0.2:7001 is the second node; those on one machine differ by the port. The last two are any address, and a name that stands for all.
    [GeneratedRegex(@"10\.0\.0\.(?<node>\d):7001|127\.0\.0\.1:700(?<node>\d)|0\.0\.0\.0:700(?<node>\d)|\bcake:700(?<node>\d)")]
    private static partial Regex Address();

    [GeneratedRegex("\"/(etc/|backups/)")]
    private static partial Regex RootFolder();

    sealed class Place : IDisposable
    {
        readonly string _home = Directory.GetCurrentDirectory();
        readonly TextWriter _console = Console.Out;
        readonly string _folder = Directory.CreateTempSubdirectory("datacake-readme-").FullName;

        public Place()
        {
            Directory.SetCurrentDirectory(_folder);
            Console.SetOut(TextWriter.Synchronized(_output = new StringWriter()));
        }

        public void Dispose()
        {
            Console.SetOut(_console);
            Directory.SetCurrentDirectory(_home);
            Directory.Delete(_folder, recursive: true);
        }
    }
}
