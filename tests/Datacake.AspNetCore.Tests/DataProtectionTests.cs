using System.Net;
using System.Security.Cryptography;
using System.Xml.Linq;
using Datacake.AspNetCore.DataProtection;
using Datacake.AspNetCore.Tests.Fixtures;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Tests.Fixtures;
using Datacake.Hosting;
using Datacake.Node;
using Datacake.Sqlite;
using Datacake.Storage;
using Datacake.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Datacake.AspNetCore.Tests;

public class DataProtectionTests
{
    const string Keyspace = "data-protection-keys";

    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Node_unprotects_what_any_other_node_has_protected(int count)
    {
        await using var cluster = await TestCluster.StartAsync(count, cancellationToken: Canceled);
        await using var applications = new Applications(cluster);

        for (int node = 0; node < count; node++)
        {
            string text = applications[node].Protect($"from {node}");
            await cluster.WaitUntilSameAsync(cancellationToken: Canceled);
            for (int other = 0; other < count; other++)
                Assert.Equal($"from {node}", applications[other].Unprotect(text));
        }
        // The first node has made a key, and the others use it.
        Assert.Single(await KeysAsync(cluster[0].Store));
    }

    [Fact]
    public async Task Nodes_that_make_keys_at_the_same_time_keep_them_all()
    {
        await using var cluster = await TestCluster.StartAsync(3, cancellationToken: Canceled);
        await using var applications = new Applications(cluster);
        for (int node = 0; node < 3; node++)
            cluster.Cut(node);

        string[] texts = [.. Enumerable.Range(0, 3).Select(node => applications[node].Protect($"from {node}"))];
        cluster.Heal();
        await cluster.WaitUntilSameAsync(cancellationToken: Canceled);

        Assert.Equal(3, (await KeysAsync(cluster[0].Store)).Count);
        for (int node = 0; node < 3; node++)
            Assert.Equal(["from 0", "from 1", "from 2"], texts.Select(applications[node].Unprotect));
    }

    [Fact]
    public async Task Node_alone_makes_keys_without_a_majority()
    {
        await using var cluster = await TestCluster.StartAsync(3, cancellationToken: Canceled);
        await cluster.StopAbruptlyAsync(1);
        await cluster.StopAbruptlyAsync(2);
        await using var application = new Application(cluster[0].Node);

        string text = application.Protect("alone");
        await cluster.StartAsync(1);
        await cluster.WaitUntilSameAsync(cancellationToken: Canceled);
        await using var other = new Application(cluster[1].Node);

        Assert.Equal("alone", other.Unprotect(text));
    }

    // Without the watch, another node would use its keys in memory for up to a day.
    [Fact]
    public async Task Key_revoked_on_one_node_is_no_longer_used_on_the_others()
    {
        await using var cluster = await TestCluster.StartAsync(2, cancellationToken: Canceled);
        await using var applications = new Applications(cluster);
        string text = applications[0].Protect("secret");
        await cluster.WaitUntilSameAsync(cancellationToken: Canceled);
        Assert.Equal("secret", applications[1].Unprotect(text));

        applications[0].Services.GetRequiredService<IKeyManager>().RevokeAllKeys(DateTimeOffset.UtcNow, "stolen");

        await Eventually.WaitUntilAsync(() => applications[1].IsRefused(text), "the other node refuses the key");
        string next = applications[1].Protect("next");
        await Eventually.WaitUntilAsync(() => !applications[0].IsRefused(next), "the first node has the new key");
    }

    [Fact]
    public async Task Key_deleted_on_one_node_is_deleted_on_all()
    {
        await using var cluster = await TestCluster.StartAsync(2, cancellationToken: Canceled);
        await using var applications = new Applications(cluster);
        string text = applications[0].Protect("old");
        await cluster.WaitUntilSameAsync(cancellationToken: Canceled);
        Assert.Equal("old", applications[1].Unprotect(text));
        var keys = Assert.IsType<IDeletableKeyManager>(applications[0].Services.GetRequiredService<IKeyManager>(), exactMatch: false);
        var key = Assert.Single(((IKeyManager)keys).GetAllKeys());
        ((IKeyManager)keys).CreateNewKey(DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddDays(90));

        Assert.True(keys.CanDeleteKeys);
        Assert.True(keys.DeleteKeys(candidate => candidate.KeyId == key.KeyId));

        await Eventually.WaitUntilAsync(() => applications[1].IsRefused(text), "the other node has deleted the key");
        Assert.Single(await KeysAsync(cluster[1].Store));
    }

    [Fact]
    public async Task Keys_survive_a_restart_of_all_nodes_on_SQLite()
    {
        using var reserved = new ReservedAddresses();
        string[] addresses = reserved.Next(2);
        string folder = Directory.CreateTempSubdirectory("datacake-keys-").FullName;
        string cookie;
        try
        {
            await using (var first = await StartAsync(0))
            await using (var second = await StartAsync(1))
            {
                cookie = await first.Client.GetStringAsync("/protect", Canceled);
                await Eventually.WaitUntilAsync(async () => await UnprotectAsync(second, cookie) == "secret", "the other node has the key");
            }
            await using (var first = await StartAsync(0))
            await using (var second = await StartAsync(1))
            {
                Assert.Equal("secret", await UnprotectAsync(first, cookie));
                Assert.Equal("secret", await UnprotectAsync(second, cookie));
                var store = await second.Services.GetRequiredService<DatacakeNode>().OpenStoreAsync(Canceled);
                Assert.Single(await KeysAsync(store));
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        Task<WebNode> StartAsync(int node) => WebNode.StartAsync(
            services =>
            {
                services.AddDatacake(options => options
                    .WithNodeId((byte)(node + 1)).ListenOn(addresses[node]).WithSeeds(addresses).UseSqlite(Path.Combine(folder, $"{node}.db"))
                    .WithStore(node == 0 ? static store => store.FormCluster = true : static _ => { }));
                services.AddDataProtection().SetApplicationName("shop").PersistKeysToDatacake(static options => options.Timeout = Eventually.Deadline);
            },
            static app =>
            {
                app.MapGet("/protect", (IDataProtectionProvider protection) => protection.CreateProtector("test").Protect("secret"));
                app.MapGet("/unprotect", (string text, IDataProtectionProvider protection) => protection.CreateProtector("test").Unprotect(text));
            });

        static async Task<string> UnprotectAsync(WebNode node, string text)
        {
            using var response = await node.Client.GetAsync($"/unprotect?text={Uri.EscapeDataString(text)}", Canceled);
            return response.StatusCode == HttpStatusCode.OK ? await response.Content.ReadAsStringAsync(Canceled) : "";
        }
    }

    [Fact]
    public async Task Document_that_is_no_key_is_logged_and_leaves_the_others_usable()
    {
        await using var test = await TestNode.StartAsync(cancellationToken: Canceled);
        await using var application = new Application(test.Node);
        string text = application.Protect("secret");
        await test.Store.Keyspace(Keyspace).PutAsync("damaged", "<key"u8.ToArray(), Consistency.None, Canceled);
        await using var restarted = new Application(test.Node);

        Assert.Equal("secret", restarted.Unprotect(text));
        Assert.True(restarted.Log.Contains("damaged"), "The damaged document is logged.");
    }

    [Fact]
    public async Task Key_that_is_not_acknowledged_at_its_level_is_kept_and_logged()
    {
        var slow = new GatedStorage();
        await using var cluster = await TestCluster.StartAsync(
            2,
            (node, options) =>
            {
                options.WithStore(static store => store.AcknowledgmentTimeout = TimeSpan.FromMilliseconds(100));
                if (node == 1)
                    options.UseStorage(() => slow);
            },
            Canceled);
        await using var application = new Application(cluster[0].Node, static options => options.Consistency = Consistency.All);
        slow.Close();

        string text = application.Protect("secret");

        Assert.Equal("secret", application.Unprotect(text));
        Assert.True(application.Log.Contains("not acknowledged"), "The missing acknowledgment is logged.");
        slow.Open();
    }

    [Fact]
    public async Task Key_is_refused_if_too_few_nodes_are_up_for_its_level()
    {
        await using var cluster = await TestCluster.StartAsync(3, cancellationToken: Canceled);
        await using var application = new Application(cluster[0].Node, static options => options.Consistency = Consistency.Quorum);
        await cluster.StopAsync(1);
        await cluster.StopAsync(2);

        var error = Assert.ThrowsAny<Exception>(() => application.Protect("secret"));

        Assert.IsType<NotEnoughNodesException>(error.InnerException ?? error);
    }

    [Fact]
    public async Task Missing_node_is_reported_with_the_remedy()
    {
        await using var services = Application.AddTo(new ServiceCollection()).BuildServiceProvider();

        var error = Assert.Throws<InvalidOperationException>(() => services.GetRequiredService<IKeyManager>().GetAllKeys());

        Assert.StartsWith("Data protection needs a Datacake node, but none is registered.", error.Message, StringComparison.Ordinal);
    }

    // Data protection reads its keys at the start of the host, if it was registered before the node.
    [Fact]
    public async Task Host_starts_even_if_data_protection_is_registered_before_the_node()
    {
        await using var node = await WebNode.StartAsync(
            static services => Application.AddTo(services).AddDatacake(static options => options.WithNodeId(1).ListenOn("127.0.0.1:0").UseMemory()), static _ => { });

        var protector = node.Services.GetRequiredService<IDataProtectionProvider>().CreateProtector("test");

        Assert.Equal("secret", protector.Unprotect(protector.Protect("secret")));
    }

    [Fact]
    public async Task Store_that_has_not_joined_is_reported_and_later_calls_do_not_wait()
    {
        using var reserved = new ReservedAddresses();
        string[] addresses = reserved.Next(2);
        await using var node = await DatacakeNode.StartAsync(options => options.WithNodeId(1).ListenOn(addresses[0]).WithSeeds(addresses).UseMemory(), Canceled);
        await using var application = new Application(node, static options => options.Timeout = TimeSpan.FromMilliseconds(200));
        var keys = application.Services.GetRequiredService<IKeyManager>();

        var error = Assert.Throws<TimeoutException>(keys.GetAllKeys);
        var again = Assert.Throws<TimeoutException>(keys.GetAllKeys);

        Assert.StartsWith("The data protection keys cannot be used yet, because they are in the cluster.", error.Message, StringComparison.Ordinal);
        Assert.Contains("has not joined its cluster within 0.2 s: ", error.Message, StringComparison.Ordinal);
        Assert.Contains("has not joined its cluster: ", again.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Threads_whose_continuations_never_run_do_not_deadlock()
    {
        await using var test = await TestNode.StartAsync(cancellationToken: Canceled);
        await using var application = new Application(test.Node);
        var result = new TaskCompletionSource<string>();
        var thread = new Thread(() =>
        {
            SynchronizationContext.SetSynchronizationContext(new DeafContext());
            result.SetResult(application.Unprotect(application.Protect("secret")));
        })
        { IsBackground = true };

        thread.Start();

        Assert.Equal("secret", await result.Task.WaitAsync(Eventually.Deadline, Canceled));
    }

    [Fact]
    public async Task Other_keyspaces_have_other_keys()
    {
        await using var test = await TestNode.StartAsync(cancellationToken: Canceled);
        await using var shop = new Application(test.Node, static options => options.Keyspace = "shop-keys");
        await using var bank = new Application(test.Node, static options => options.Keyspace = "bank-keys");

        Assert.True(bank.IsRefused(shop.Protect("secret")));
    }

    [Fact]
    public void Settings_out_of_range_are_refused_by_name()
    {
        var builder = new ServiceCollection().AddDataProtection();

        Assert.Equal("Keyspace", Assert.Throws<ArgumentException>(() => builder.PersistKeysToDatacake(static options => options.Keyspace = "")).ParamName);
        Assert.Equal("Consistency", Assert.Throws<ArgumentException>(() => builder.PersistKeysToDatacake(static options => options.Consistency = Consistency.Serial)).ParamName);
        Assert.Equal("Timeout", Assert.Throws<ArgumentException>(() => builder.PersistKeysToDatacake(static options => options.Timeout = TimeSpan.Zero)).ParamName);
        Assert.Throws<ArgumentNullException>(() => builder.PersistKeysToDatacake(static options => options.UseNode(null!)));
    }

    [Fact]
    public async Task Repository_that_is_disposed_is_no_longer_used()
    {
        await using var test = await TestNode.StartAsync(cancellationToken: Canceled);
        var repository = new DatacakeXmlRepository(() => test.Node, new DatacakeDataProtectionOptions(), static () => { }, loggers: null);
        repository.StoreElement(new XElement("key"), "key");
        Assert.Single(repository.GetAllElements());

        repository.Dispose();
        repository.Dispose();

        Assert.ThrowsAny<Exception>(repository.GetAllElements);
    }

    static async Task<List<StoredDocument>> KeysAsync(ReplicatedStore store)
    {
        List<StoredDocument> keys = [];
        await foreach (var key in store.Keyspace(Keyspace).ReadAllAsync(Canceled))
            keys.Add(key);
        return keys;
    }

    /// <summary>A context that drops all continuations.</summary>
    sealed class DeafContext : SynchronizationContext
    {
        public override void Post(SendOrPostCallback d, object? state)
        {
        }
    }

    /// <summary>Data protection on a node.</summary>
    sealed class Application : IAsyncDisposable
    {
        public Application(DatacakeNode node)
            : this(node, static _ => { })
        {
        }

        public Application(DatacakeNode node, Action<DatacakeDataProtectionOptions> configure)
        {
            var services = new ServiceCollection().AddSingleton(node);
            services.AddSingleton<ILoggerFactory>(Log);
            Services = AddTo(services, configure).BuildServiceProvider();
        }

        public ServiceProvider Services { get; }

        public CollectingLog Log { get; } = new();

        IDataProtector Protector => Services.GetRequiredService<IDataProtectionProvider>().CreateProtector("test");

        public static IServiceCollection AddTo(IServiceCollection services) => AddTo(services, static _ => { });

        public static IServiceCollection AddTo(IServiceCollection services, Action<DatacakeDataProtectionOptions> configure)
        {
            services.AddDataProtection().SetApplicationName("shop").PersistKeysToDatacake(options =>
            {
                options.Timeout = Eventually.Deadline;
                configure(options);
            });
            return services;
        }

        public string Protect(string text) => Protector.Protect(text);

        public string Unprotect(string text) => Protector.Unprotect(text);

        public bool IsRefused(string text)
        {
            try
            {
                Unprotect(text);
                return false;
            }
            catch (CryptographicException)
            {
                return true;
            }
        }

        public ValueTask DisposeAsync() => Services.DisposeAsync();
    }

    /// <summary>Data protection on all nodes of a cluster.</summary>
    sealed class Applications(TestCluster cluster) : IAsyncDisposable
    {
        readonly Application[] _all = [.. Enumerable.Range(0, cluster.Count).Select(node => new Application(cluster[node].Node))];

        public Application this[int node] => _all[node];

        public async ValueTask DisposeAsync()
        {
            foreach (var application in _all)
                await application.DisposeAsync();
        }
    }
}
