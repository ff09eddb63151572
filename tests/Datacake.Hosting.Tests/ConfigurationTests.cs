using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Datacake.EventualConsistency;
using Datacake.Node;
using Datacake.Storage;
using Datacake.Tests;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Datacake.Hosting.Tests;

/// <summary>Nodes that take their settings from an application's configuration.</summary>
public sealed class ConfigurationTests
{
    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Node_takes_its_settings_from_its_section()
    {
        await using var node = await StartAsync("""
            "NodeId": 7, "ListenOn": "127.0.0.1:0", "Seeds": ["127.0.0.1:1", "127.0.0.1:2"], "DataCenter": "eu-west", "ClusterId": "shop",
            "Labels": { "rack": "12" }
            """);
        Assert.Equal((7, "eu-west", "shop"), (node.Id, node.DataCenter, node.ClusterId));
        Assert.Equal(["127.0.0.1:1", "127.0.0.1:2"], node.Seeds);
        Assert.Equal("12", Assert.Single(node.Members).Labels["rack"]);
    }

    [Fact]
    public async Task Store_takes_its_settings_from_its_section()
    {
        await using var node = await StartAsync("""
            "NodeId": 1, "ListenOn": "127.0.0.1:0",
            "Store": {
              "Durability": "buffered", "AcknowledgmentTimeout": "00:00:03", "JoinTimeout": "00:01:00", "FormCluster": true, "ExpectedNodes": 3,
              "ReadBeforeJoined": "True", "AcceptStampsUpTo": "2030-01-31T12:00:00Z", "ReportInterval": "00:00:00.250", "StopTimeout": "00:00:00",
              "MaxDocumentLength": 2000, "MaxPendingCommits": 100, "MaxWatchBufferLength": 0, "MaxCacheLength": 5000000000
            }
            """);
        var store = node.SettingsOf<ReplicatedStoreOptions>();
        Assert.Equal(
            (Durability.Buffered, TimeSpan.FromSeconds(3), TimeSpan.FromMinutes(1), true, 3),
            (store.Durability, store.AcknowledgmentTimeout, store.JoinTimeout, store.FormCluster, store.ExpectedNodes));
        Assert.Equal(
            (true, new DateTimeOffset(2030, 1, 31, 12, 0, 0, TimeSpan.Zero), TimeSpan.FromMilliseconds(250), TimeSpan.Zero),
            (store.ReadBeforeJoined, store.AcceptStampsUpTo, store.ReportInterval, store.StopTimeout));
        Assert.Equal(
            (2_000, 100, 0, 5_000_000_000),
            (store.MaxDocumentLength, store.MaxPendingCommits, store.MaxWatchBufferLength, store.MaxCacheLength));
    }

    [Fact]
    public void Every_property_of_the_store_can_be_configured()
    {
        var names = typeof(ReplicatedStoreOptions).GetProperties().Where(property => property.CanWrite).Select(property => property.Name);
        var refusal = Refuse(""" "Store": { "Unknown": 1 } """);
        Assert.All(names, name => Assert.Contains(name, refusal, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Hosted_store_refuses_operations_that_its_section_forbids()
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(
            """{ "Datacake": { "NodeId": 1, "ListenOn": "127.0.0.1:0", "Store": { "MaxDocumentLength": 2000 } } }""")));
        builder.Services.AddDatacake(options => options.FromConfiguration(builder.Configuration.GetSection("Datacake")).UseMemory());
        using var host = builder.Build();
        await host.StartAsync(Canceled);
        var store = await host.Services.GetRequiredService<DatacakeNode>().OpenStoreAsync(Canceled);
        var refusal = await Assert.ThrowsAnyAsync<Exception>(
            () => store.Keyspace("cakes").PutAsync(1, new byte[2_000], cancellationToken: Canceled).AsTask());
        Assert.Contains("2000", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Code_after_the_section_overrides_the_store_settings_of_the_section()
    {
        var store = new ReplicatedStoreOptions();
        var options = new DatacakeNodeOptions().FromConfiguration(SectionOf(""" "Store": { "ExpectedNodes": 3, "FormCluster": true } """));
        options.WithStore(settings =>
        {
            settings.ExpectedNodes = 5;
            store = settings;
        });
        Assert.Equal((5, true), (store.ExpectedNodes, store.FormCluster));
    }

    [Fact]
    public async Task Nodes_that_take_certificates_and_secrets_from_their_sections_find_each_other()
    {
        var directory = Directory.CreateTempSubdirectory("datacake-configuration-");
        try
        {
            string file = Path.Combine(directory.FullName, "node.pem").Replace('\\', '/');
            WriteCertificate(file);
            string tls = $$"""
                "Tls": {
                  "CertificateFile": "{{file}}", "CertificateKeyFile": "{{file}}", "TrustedIssuersFile": "{{file}}",
                  "RequireClientCertificate": true, "ServerName": "localhost", "ReloadInterval": "00:01:00"
                }
                """;
            await using var first = await StartAsync($$"""
                "NodeId": 1, "ListenOn": "127.0.0.1:0", {{tls}}, "MaxClockDifference": "00:01:40",
                "ClusterSecret": "correct horse battery staple", "AcceptedClusterSecrets": ["the secret of the next round"]
                """);
            await using var second = await StartAsync($$"""
                "NodeId": 2, "ListenOn": "127.0.0.1:0", {{tls}}, "Seeds": ["{{first.Address}}"],
                "ClusterSecret": "the secret of the next round", "AcceptedClusterSecrets": ["correct horse battery staple"]
                """);
            await second.WaitForNodesAsync([1, 2], Eventually.Deadline, Canceled);
            Assert.Equal(TimeSpan.FromSeconds(100), first.MaxClockDifference);
            Assert.Equal("CN=localhost", first.CertificateStatus?.Subject);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Theory]
    [InlineData(""" "Seed": "127.0.0.1:1" """, "'Datacake:Seed' is not a setting of a node. The settings are: NodeId, ListenOn,")]
    [InlineData(""" "NodeId": "seven" """, "'Datacake:NodeId' is 'seven', which is not a whole number")]
    [InlineData(""" "NodeId": 256 """, "'Datacake:NodeId' is not valid: The node id 256 is invalid. Use a number from 0 to 255.")]
    [InlineData(""" "ListenOn": ["127.0.0.1:1"] """, "'Datacake:ListenOn' must be a single value")]
    [InlineData(""" "ListenOn": "127.0.0.1" """, "'Datacake:ListenOn' is not valid: ")]
    [InlineData(""" "Seeds": "127.0.0.1:1,127.0.0.1:2" """, "'Datacake:Seeds' is a single value. It must be a list, whose first entry is 'Datacake:Seeds:0'.")]
    [InlineData(""" "Labels": "rack" """, "'Datacake:Labels' is a single value. It must be a section of settings.")]
    [InlineData(""" "ClusterSecret": "short" """, "'Datacake:ClusterSecret' is not valid: The cluster secret has 5 characters;")]
    [InlineData(""" "AcceptedClusterSecrets": ["short"] """, "'Datacake:AcceptedClusterSecrets' is not valid: The accepted cluster secret has 5 characters;")]
    [InlineData(""" "MaxClockDifference": 100 """, "'Datacake:MaxClockDifference' is '100', which is not a time")]
    [InlineData(""" "Tls": { "Certificate": "node.pem" } """, "'Datacake:Tls:Certificate' is not a setting of TLS. The settings are: CertificateFile,")]
    [InlineData(""" "Tls": { "ServerName": "shop" } """, "'Datacake:Tls' is not valid: A node that uses TLS needs a certificate")]
    [InlineData(""" "Store": true """, "'Datacake:Store' is a single value. It must be a section of settings.")]
    [InlineData(""" "Store": { "Expected": 3 } """, "'Datacake:Store:Expected' is not a setting of a store. The settings are: Durability, AcknowledgmentTimeout,")]
    [InlineData(""" "Store": { "ExpectedNodes": "three" } """, "'Datacake:Store:ExpectedNodes' is 'three', which is not a whole number")]
    [InlineData(""" "Store": { "ExpectedNodes": 0 } """, "'Datacake:Store:ExpectedNodes' is not valid: ReplicatedStoreOptions.ExpectedNodes is 0; it must be from 1 to 255.")]
    [InlineData(""" "Store": { "FormCluster": "yes" } """, "'Datacake:Store:FormCluster' is 'yes', which is not true or false.")]
    [InlineData(""" "Store": { "StopTimeout": 5 } """, "'Datacake:Store:StopTimeout' is '5', which is not a time as hours, minutes and seconds, such as 00:00:30.")]
    [InlineData(""" "Store": { "StopTimeout": "00:00:99" } """, "'Datacake:Store:StopTimeout' is '00:00:99', which is not a time")]
    [InlineData(""" "Store": { "Durability": "1" } """, "'Datacake:Store:Durability' is '1', which is not one of")]
    [InlineData(""" "Store": { "AcceptStampsUpTo": "soon" } """, "'Datacake:Store:AcceptStampsUpTo' is 'soon', which is not a date and time")]
    [InlineData(""" "Store": { "MaxDocumentLength": 5000000000 } """, "'Datacake:Store:MaxDocumentLength' is '5000000000', which is not a whole number")]
    public void Unknown_or_malformed_setting_is_refused_by_name(string settings, string message) =>
        Assert.Contains(message, Refuse(settings), StringComparison.Ordinal);

    [Fact]
    public void Missing_section_is_refused_by_name()
    {
        var configuration = new ConfigurationBuilder().Build();
        var refusal = Assert.Throws<InvalidOperationException>(() => new DatacakeNodeOptions().FromConfiguration(configuration.GetSection("Datacake")));
        Assert.Contains("no section 'Datacake'", refusal.Message, StringComparison.Ordinal);
    }

    static void WriteCertificate(string file)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddYears(1));
        File.WriteAllText(file, certificate.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem());
    }

    static string Refuse(string settings) =>
        Assert.Throws<InvalidOperationException>(() => new DatacakeNodeOptions().FromConfiguration(SectionOf(settings))).Message;

    static IConfigurationSection SectionOf(string settings)
    {
        string json = "{ \"Datacake\": {" + settings + "} }";
        return new ConfigurationBuilder().AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(json))).Build().GetSection("Datacake");
    }

    static async Task<DatacakeNode> StartAsync(string settings) =>
        await DatacakeNode.StartAsync(options => options.FromConfiguration(SectionOf(settings)).UseMemory(), Canceled);
}
