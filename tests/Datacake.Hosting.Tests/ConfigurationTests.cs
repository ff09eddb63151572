using System.Reflection;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Datacake.Administration;
using Datacake.Data;
using Datacake.EventualConsistency;
using Datacake.Lmdb;
using Datacake.Node;
using Datacake.PostgreSql;
using Datacake.Rpc;
using Datacake.Sqlite;
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
              "MaxDocumentLength": 2000, "MaxPendingCommits": 100, "MaxWatchBufferLength": 0, "MaxCacheLength": 5000000000,
              "ConsumerRetention": "2.00:00:00", "MaxConsumerRecords": 2000
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
        Assert.Equal((TimeSpan.FromDays(2), 2_000), (store.ConsumerRetention, store.MaxConsumerRecords));
    }

    [Fact]
    public async Task Node_follows_the_members_that_its_configuration_names()
    {
        await using var node = await StartAsync("""
            "Follows": ["10.0.0.1:7001", "10.0.0.2:7001"],
            "Store": { "FollowedKeyspaces": ["cakes", "prices"], "FollowerRetention": "02:00:00" }
            """);
        var store = node.SettingsOf<ReplicatedStoreOptions>();

        Assert.True(store.IsFollower);
        Assert.Equal(["10.0.0.1:7001", "10.0.0.2:7001"], store.FollowedMembers);
        Assert.Equal(["cakes", "prices"], store.FollowedKeyspaces);
        Assert.Equal(TimeSpan.FromHours(2), store.FollowerRetention);
    }

    [Fact]
    public async Task Named_stores_take_their_settings_from_their_sections()
    {
        string folder = Directory.CreateTempSubdirectory("datacake-configuration-").FullName;
        try
        {
            string path = Path.Combine(folder, "catalog.db");
            await using var node = await StartAsync($$"""
                "NodeId": 1, "ListenOn": "127.0.0.1:0",
                "Stores": {
                  "catalog": {
                    "Storage": { "Kind": "sqlite", "Path": {{JsonSerializer.Serialize(path)}}, "MaxFileBytes": 10000000 },
                    "MaxDocumentLength": 2000, "Durability": "Buffered"
                  },
                  "shop/3": { "Storage": { "Kind": "memory" }, "Follows": ["10.0.0.1:7001"], "FollowedKeyspaces": ["cakes"] },
                  "prices": { "Storage": { "Kind": "memory" }, "Follows": [] }
                }
                """);
            await node.OpenStoresAsync(Canceled);

            Assert.Equal(["catalog", "prices", "shop/3"], node.OpenStores.Select(store => store.Name));
            Assert.True(File.Exists(path));
            var catalog = await node.OpenStoreAsync("catalog", Canceled);
            var refusal = await Assert.ThrowsAnyAsync<Exception>(() => catalog.Keyspace("cakes").PutAsync(1, new byte[2_000], cancellationToken: Canceled).AsTask());
            Assert.Contains("2000", refusal.Message, StringComparison.Ordinal);
            Assert.Null(catalog.FollowStatus);
            Assert.All(node.OpenStores.Skip(1), store => Assert.NotNull(store.FollowStatus));
            Assert.Equal(["catalog"], Assert.Single(node.Members).Stores);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task Every_property_of_the_options_of_a_named_store_can_be_configured()
    {
        var names = typeof(ReplicatedStoreOptions).GetProperties().Where(IsSetting).Select(property => property.Name);
        string refusal = await RefuseAsync(""" "Stores": { "catalog": { "Storage": { "Kind": "memory" }, "Unknown": 1 } } """);
        Assert.Contains("'Datacake:Stores:catalog:Unknown' is not a setting of a named store. The settings are: ", refusal, StringComparison.Ordinal);
        Assert.Equal(names.Union(["Storage", "Follows"]).Order(), SettingsIn(refusal).Order());
    }

    [Fact]
    public async Task All_errors_of_named_stores_are_reported_once()
    {
        string refusal = await RefuseAsync("""
            "NodeId": 1, "ListenOn": "127.0.0.1:0",
            "Stores": {
              "catalog": { "Storage": { "Kind": "sqlite", "Path": "catalog.db", "PageSize": 5 }, "ExpectedNodes": 0, "MaxPendingCommits": 0, "StopTimeout": 5, "Lables": 1 },
              "prices": { "Storage": { "Kind": "memory" }, "Follows": ["nowhere"] },
              "orders": { "ExpectedNodes": 3 },
              "audit": "audit.db"
            }
            """);
        string[] paths =
        [
            "catalog:Storage:PageSize", "catalog:ExpectedNodes", "catalog:MaxPendingCommits", "catalog:StopTimeout", "catalog:Lables", "prices:Follows", "orders:Storage", "audit",
        ];
        string[] lines = refusal.Split("\n- ");
        Assert.Equal($"The node has {paths.Length} invalid settings.", lines[0]);
        Assert.All(paths, name => Assert.Single(lines, line => line.StartsWith($"'Datacake:Stores:{name}' is ", StringComparison.Ordinal)));
    }

    [Fact]
    public void Code_after_the_section_overrides_the_settings_of_named_stores()
    {
        var store = new ReplicatedStoreOptions();
        var options = new DatacakeNodeOptions().FromConfiguration(SectionOf(""" "Stores": { "catalog": { "Storage": { "Kind": "memory" }, "ExpectedNodes": 3, "FormCluster": true } } """));
        options.WithStore("catalog", named =>
        {
            store = named.Settings;
            store.ExpectedNodes = 5;
        });
        Assert.Equal((5, true), (store.ExpectedNodes, store.FormCluster));
    }

    [Theory]
    [InlineData(typeof(ReplicatedStoreOptions), """ "Store": { "Unknown": 1 } """)]
    [InlineData(typeof(GossipOptions), """ "Gossip": { "Unknown": 1 } """)]
    [InlineData(typeof(RpcLimits), """ "RpcLimits": { "Unknown": 1 } """)]
    [InlineData(typeof(DatacakeContextOptions), """ "Contexts": { "Unknown": 1 } """)]
    [InlineData(typeof(SqliteStorageOptions), """ "Storage": { "Kind": "sqlite", "Path": "shop.db", "Unknown": 1 } """)]
    [InlineData(typeof(LmdbStorageOptions), """ "Storage": { "Kind": "lmdb", "Path": "shop.mdb", "Unknown": 1 } """)]
    [InlineData(typeof(PostgreSqlStorageOptions), """ "Storage": { "Kind": "postgresql", "ConnectionString": "Host=db", "Unknown": 1 } """)]
    [InlineData(typeof(AdministrationOptions), """ "Administration": { "Unknown": 1 } """)]
    [InlineData(typeof(BackupOptions), """ "Backups": { "Unknown": 1 } """)]
    [InlineData(typeof(RpcTls), """ "Tls": { "Unknown": 1 } """, "Certificate", "CertificateCallback", "Intermediates", "TrustedIssuers", "TrustedIssuersCallback", "Validate")]
    public async Task Every_property_of_the_options_can_be_configured(Type options, string settings, params string[] onlyInCode)
    {
        var names = options.GetProperties().Where(IsSetting).Select(property => property.Name);
        Assert.Equal(names.Except(onlyInCode).Order(), SettingsIn(await RefuseAsync(settings)).Except(["Profile", "Kind", "Path", "ConnectionString", "OperatorSecretFile"]).Order());
    }

    [Fact]
    public async Task Every_method_of_the_node_options_can_be_configured()
    {
        string[] onlyInCode = ["UseStorage", "AddKind", "WithTransport", "WithTimeProvider", "WithLoggerFactory", "WithExtensionSettings"];
        var methods = typeof(DatacakeNodeOptions).GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly).Select(method => method.Name);
        var expected = methods.Except(onlyInCode).Select(method => method == "WithLabel" ? "Labels" : SettingOf(method));
        string[] additional = ["Follows", "ClusterSecretFile", "AcceptedClusterSecretFiles", "OperatorKeyFiles", "Storage", "Store", "Stores", "Contexts", "Administration", "Backups", "WaitForJoin"];
        Assert.Equal(expected.Union(additional).Order(), SettingsIn(await RefuseAsync(""" "Unknown": 1 """)).Order());

        static string SettingOf(string method) => method.StartsWith("With", StringComparison.Ordinal) ? method[4..]
            : method.StartsWith("In", StringComparison.Ordinal) ? method[2..] : method;
    }

    [Fact]
    public async Task Node_takes_its_storage_its_gossip_its_limits_and_its_contexts_from_the_section()
    {
        string folder = Directory.CreateTempSubdirectory("datacake-configuration-").FullName;
        try
        {
            string path = Path.Combine(folder, "shop.db");
            await using (var node = await StartAsync($$"""
                "NodeId": 1, "ListenOn": "127.0.0.1:0",
                "Storage": { "Kind": "SQLite", "Path": {{JsonSerializer.Serialize(path)}}, "MaxFileBytes": 10000000, "PageSize": 8192 },
                "Gossip": { "Profile": "Local", "PhiThreshold": 9.5 }, "GossipTransport": "Udp", "RpcLimits": { "MessageSize": 1000000 },
                "Contexts": { "DefaultConsistency": "LocalQuorum", "ScanWarningThreshold": 5 }
                """, withMemory: false))
            {
                Assert.IsType<SqliteStorage>(node.Storage);
                await using var db = new VisitContext(node);
                Assert.Equal((Consistency.LocalQuorum, 5), (db.DefaultConsistency, db.ScanWarningThreshold));
            }
            Assert.True(File.Exists(path));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task Backups_take_their_settings_from_the_section()
    {
        await using var node = await StartAsync("""
            "NodeId": 1, "ListenOn": "127.0.0.1:0",
            "Backups": { "Folder": "/backups", "TimesOfDay": ["14:00", "02:30:15"], "Keep": 3, "KeepFor": "30.00:00:00", "Verify": false, "RetryAfter": "00:01:00" }
            """);
        var backups = node.SettingsOf<BackupOptions>();
        Assert.Equal(("/backups", null, 3, TimeSpan.FromDays(30)), (backups.Folder, backups.Interval, backups.Keep, backups.KeepFor));
        Assert.Equal((false, TimeSpan.FromMinutes(1)), (backups.Verify, backups.RetryAfter));
        Assert.Equal([new TimeOnly(14, 0), new TimeOnly(2, 30, 15)], backups.TimesOfDay);
    }

    [Fact]
    public async Task Secrets_and_keys_come_from_files()
    {
        string folder = Directory.CreateTempSubdirectory("datacake-configuration-").FullName;
        try
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            string secret = Write("secret", "correct horse battery staple\n");
            string next = Write("next", "the secret of the next round\r\n");
            string operatorKey = Write("operator.pem", key.ExportSubjectPublicKeyInfoPem() + "\n");
            await using var first = await StartAsync($$"""
                "NodeId": 1, "ListenOn": "127.0.0.1:0", "ClusterSecretFile": {{secret}}, "AcceptedClusterSecretFiles": [{{next}}], "OperatorKeyFiles": [{{operatorKey}}]
                """);
            await using var second = await StartAsync($$"""
                "NodeId": 2, "ListenOn": "127.0.0.1:0", "Seeds": ["{{first.Address}}"],
                "ClusterSecret": "the secret of the next round", "AcceptedClusterSecrets": ["correct horse battery staple"]
                """);
            await second.WaitForNodesAsync([1, 2], Eventually.Deadline, Canceled);
            Assert.Equal(key.ExportSubjectPublicKeyInfo(), Assert.Single(first.OperatorKeys).ToArray());
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        string Write(string name, string text)
        {
            string path = Path.Combine(folder, name);
            File.WriteAllText(path, text);
            return JsonSerializer.Serialize(path);
        }
    }

    [Fact]
    public async Task All_errors_are_reported_at_once_before_anything_is_opened()
    {
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        string refusal = await RefuseAsync($$"""
            "NodeId": 300, "Lables": {}, "ClusterSecret": "short",
            "Gossip": { "Interval": "00:00:00", "KeepAlive": "-00:00:01", "Fanout": 3 },
            "RpcLimits": { "MessageSize": 0, "HeaderSize": 10 },
            "Store": { "ExpectedNodes": 0, "StopTimeout": 5, "MaxPendingCommits": 0 },
            "Storage": { "Kind": "sqlite", "Path": {{JsonSerializer.Serialize(path)}}, "PageSize": 5, "CacheBytes": 1, "Size": 1 }
            """);
        string[] paths =
        [
            "NodeId", "Lables", "ClusterSecret", "Gossip:Interval", "Gossip:KeepAlive", "Gossip:Fanout", "RpcLimits:MessageSize", "RpcLimits:HeaderSize",
            "Store:ExpectedNodes", "Store:StopTimeout", "Store:MaxPendingCommits", "Storage:PageSize", "Storage:CacheBytes", "Storage:Size",
        ];
        string[] lines = refusal.Split("\n- ");
        Assert.Equal($"The node has {paths.Length + 1} invalid settings.", lines[0]);
        Assert.All(paths, name => Assert.Single(lines, line => line.StartsWith($"'Datacake:{name}' is ", StringComparison.Ordinal)));
        Assert.Contains("ListenOn in the configuration", lines[^1], StringComparison.Ordinal);
        Assert.False(File.Exists(path));
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
    [InlineData(""" "Seed": "127.0.0.1:1" """, "'Datacake:Seed' is not a setting of a node. The settings are: NodeId, NodeIdFromHostName, ListenOn,")]
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
    [InlineData(""" "Stores": true """, "'Datacake:Stores' is a single value. It must be a section of settings.")]
    [InlineData(""" "Stores": { "catalog": { "Storage": { "Kind": "oracle" } } } """, "'Datacake:Stores:catalog:Storage:Kind' is not valid: The storage 'oracle' is not available.")]
    [InlineData(""" "Stores": { "catalog": { "Storage": "sqlite" } } """, "'Datacake:Stores:catalog:Storage' is a single value. It must be a section of settings.")]
    [InlineData(""" "Stores": { "cat\u0001alog": { "Storage": { "Kind": "memory" } } } """, "alog' is not valid: The name")]
    [InlineData(""" "Storage": { "Path": "shop.db" } """, "'Datacake:Storage:Kind' is missing. Set it.")]
    [InlineData(""" "Storage": { "Kind": "sqlite" } """, "'Datacake:Storage:Path' is missing. Set it.")]
    [InlineData(""" "Storage": { "Kind": "postgresql" } """, "'Datacake:Storage:ConnectionString' is missing. Set it.")]
    [InlineData(""" "Storage": { "Kind": "postgresql", "ConnectionString": "Database=shop" } """, "'Datacake:Storage:ConnectionString' is not valid: The connection string names no host. Add Host=….")]
    [InlineData(""" "Storage": { "Kind": "postgresql", "ConnectionString": "Host=db", "MaxSnapshots": 0 } """, "MaxSnapshots")]
    [InlineData(""" "Storage": { "Kind": "memory", "Path": "shop.db" } """, "'Datacake:Storage:Path' is not a setting of the storage. The settings are: Kind.")]
    [InlineData(""" "Storage": { "Kind": "oracle" } """, "'Datacake:Storage:Kind' is not valid: The storage 'oracle' is not available. Use one of sqlite, lmdb, postgresql, memory.")]
    [InlineData(""" "ClusterSecretFile": "no such file" """, "'Datacake:ClusterSecretFile' is 'no such file', which is not the path of a file that exists")]
    [InlineData(""" "Tls": { "CertificateFile": "no such file" } """, "'Datacake:Tls:CertificateFile' is 'no such file', which is not the path of a file that exists")]
    [InlineData(""" "Gossip": { "Profile": "Mars" } """, "'Datacake:Gossip:Profile' is 'Mars', which is not one of Lan, Wan, Local.")]
    [InlineData(""" "Gossip": { "PhiThreshold": 0 } """, "'Datacake:Gossip:PhiThreshold' is not valid: The gossip option PhiThreshold is 0. It must be greater than 0.")]
    [InlineData(""" "Contexts": { "DefaultConsistency": "Most" } """, "'Datacake:Contexts:DefaultConsistency' is 'Most', which is not one of None, One,")]
    [InlineData(""" "Backups": { "Interval": "06:00:00" } """, "'Datacake:Backups' is not valid: BackupOptions.Folder is not set. Set it to a folder that exists.")]
    [InlineData(""" "Backups": { "Folder": "/backups" } """, "'Datacake:Backups' is not valid: BackupOptions.Interval is not set. Set it, or TimesOfDay.")]
    [InlineData(""" "Backups": { "Folder": "/backups", "Interval": "00:00:30" } """, "'Datacake:Backups:Interval' is not valid: BackupOptions.Interval is 00:00:30; it must be from 00:01:00 to 365 days.")]
    [InlineData(""" "Backups": { "Folder": "/backups", "Interval": "06:00:00", "Keep": 0 } """, "'Datacake:Backups:Keep' is not valid: BackupOptions.Keep is 0; it must be from 1 to 10,000.")]
    [InlineData(""" "Backups": { "Folder": "/backups", "TimesOfDay": "02:30" } """, "'Datacake:Backups:TimesOfDay' is a single value. It must be a list")]
    [InlineData(""" "Backups": { "Folder": "/backups", "TimesOfDay": ["25:30"] } """, "'Datacake:Backups:TimesOfDay:0' is '25:30', which is not a time of the day, such as 02:30.")]
    [InlineData(""" "WaitForJoin": "00:00:00" """, "'Datacake:WaitForJoin' is not valid: ")]
    public async Task Unknown_or_malformed_setting_is_refused_by_name(string settings, string message) =>
        Assert.Contains(message, await RefuseAsync(settings), StringComparison.Ordinal);

    [Theory]
    [InlineData(""" "Folder": "/backups", "Interval": "6 hours", "Keep": 0 """, "'Datacake:Backups:Interval' is '6 hours', which is not a time")]
    [InlineData(""" "Folder": "/backups", "Interval": "00:00:30", "Keep": 0 """, "'Datacake:Backups:Interval' is not valid: BackupOptions.Interval is 00:00:30;")]
    [InlineData(""" "Folder": "/backups", "TimesOfDay": ["25:30"], "Keep": 0 """, "'Datacake:Backups:TimesOfDay:0' is '25:30', which is not a time of the day")]
    [InlineData(""" "Folder": ["/backups"], "Interval": "06:00:00", "Keep": 0 """, "'Datacake:Backups:Folder' must be a single value.")]
    public async Task Invalid_setting_of_backups_is_not_called_missing_too_and_the_others_are_checked(string settings, string message)
    {
        string refusal = await RefuseAsync($$""" "Backups": { {{settings}} } """);

        Assert.Contains(message, refusal, StringComparison.Ordinal);
        Assert.Contains("'Datacake:Backups:Keep' is not valid: BackupOptions.Keep is 0", refusal, StringComparison.Ordinal);
        Assert.DoesNotContain("is not set", refusal, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sqlite", "Reference the package Datacake.Sqlite and call options.AddSqlite() before FromConfiguration.")]
    [InlineData("lmdb", "Reference the package Datacake.Lmdb and call options.AddLmdb() before FromConfiguration.")]
    [InlineData("postgresql", "Reference the package Datacake.PostgreSql and call options.AddPostgreSql() before FromConfiguration.")]
    public async Task Storage_that_is_not_available_is_refused_with_the_missing_package_and_call(string kind, string message)
    {
        string settings = $$""" "NodeId": 1, "ListenOn": "127.0.0.1:0", "Storage": { "Kind": "{{kind}}", "Path": "shop" } """;
        var refusal = await Assert.ThrowsAsync<InvalidOperationException>(
            async () => await DatacakeNode.StartAsync(options => options.FromConfiguration(SectionOf(settings)), Canceled));
        Assert.EndsWith(message, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Missing_section_is_refused_by_name()
    {
        var configuration = new ConfigurationBuilder().Build();
        var refusal = Assert.Throws<InvalidOperationException>(() => new DatacakeNodeOptions().FromConfiguration(configuration.GetSection("Datacake")));
        Assert.Contains("no section 'Datacake'", refusal.Message, StringComparison.Ordinal);
    }

    static bool IsSetting(PropertyInfo property) => property.CanWrite || property.PropertyType.IsAssignableTo(typeof(ICollection<string>));

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

    static async Task<string> RefuseAsync(string settings) =>
        (await Assert.ThrowsAsync<InvalidOperationException>(() => StartAsync(settings, withMemory: false))).Message;

    /// <summary>Returns the settings that the error of an unknown setting lists.</summary>
    static string[] SettingsIn(string error)
    {
        var list = error[(error.IndexOf("The settings are: ", StringComparison.Ordinal) + "The settings are: ".Length)..];
        return list[..list.IndexOf('.', StringComparison.Ordinal)].Split(", ");
    }

    static IConfigurationSection SectionOf(string settings)
    {
        string json = "{ \"Datacake\": {" + settings + "} }";
        return new ConfigurationBuilder().AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(json))).Build().GetSection("Datacake");
    }

    static async Task<DatacakeNode> StartAsync(string settings, bool withMemory = true) => await DatacakeNode.StartAsync(
        options =>
        {
            options.AddSqlite().AddLmdb().AddPostgreSql().FromConfiguration(SectionOf(settings));
            if (withMemory)
                options.UseMemory();
        },
        Canceled);
}
