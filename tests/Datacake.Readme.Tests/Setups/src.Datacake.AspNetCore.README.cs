using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Datacake.Data;
using Datacake.Node;
using Datacake.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.OutputCaching;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

static class Keys
{
    public static async Task RunAsync()
    {
        await using var second = await Samples.StartNodeAsync(2, Samples.Secured);
        await using var third = await Samples.StartNodeAsync(3, Samples.Secured);
        using var key = RSA.Create(2048);
        using var certificate = new CertificateRequest("CN=shop", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            .CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        var builder = WebApplication.CreateBuilder(["--urls", "http://127.0.0.1:0", "--ShopSecret", Samples.Secret]);
        // sample 1
        await using var app = builder.Build();
        await app.StartAsync();
        await (await app.Services.GetRequiredService<DatacakeNode>().OpenStoreAsync()).WaitForMembersAsync(3, TimeSpan.FromMinutes(1));
        var protector = app.Services.GetRequiredService<IDataProtectionProvider>().CreateProtector("cookies");
        string text = protector.Protect("secret");
        Assert.Equal("secret", protector.Unprotect(text));
        var other = new ServiceCollection().AddSingleton(second);
        other.AddDataProtection().SetApplicationName("shop").UnprotectKeysWithAnyCertificate(certificate).PersistKeysToDatacake();
        await using var services = other.BuildServiceProvider();
        await Samples.WaitUntilAsync(() => Unprotect() == "secret", "the other node has the key");
        await foreach (var stored in (await second.OpenStoreAsync()).Keyspace("data-protection-keys").ReadAllAsync())
            Assert.Contains("encryptedSecret", System.Text.Encoding.UTF8.GetString(stored.Document.Value!.Value.Span));
        await app.StopAsync();
        Samples.Reach(1);

        string? Unprotect()
        {
            try
            {
                return services.GetRequiredService<IDataProtectionProvider>().CreateProtector("cookies").Unprotect(text);
            }
            catch (CryptographicException)
            {
                return null;
            }
        }
    }
}

public sealed class Cake
{
    public Guid Id { get; set; }
    public string Name { get; set; } = "";
    public decimal Price { get; set; }
}

public sealed partial class ShopContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Cake> Cakes { get; }
}

static class OutputCaching
{
    public static async Task RunAsync()
    {
        await using var node = await Samples.StartNodeAsync(1, static options => options.UseMemory());
        var builder = WebApplication.CreateBuilder(["--urls", "http://127.0.0.1:0"]);
        builder.Services.AddSingleton(node);
        // sample 2
        await using (app)
        {
            await app.StartAsync();
            using var client = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
            Assert.Equal("carrot, apple", await client.GetStringAsync("/cakes"));
            using var cached = await client.GetAsync("/cakes");
            Assert.NotNull(cached.Headers.Age);
            using var evicted = await client.PostAsync("/prices", null);
            Assert.True(evicted.IsSuccessStatusCode);
            using var made = await client.GetAsync("/cakes");
            Assert.Null(made.Headers.Age);
            await app.StopAsync();
        }
        Samples.Reach(2);
    }
}

static class SessionState
{
    public static async Task RunAsync()
    {
        await using var node = await Samples.StartNodeAsync(1, static options => options.UseMemory());
        var services = new ServiceCollection().AddSingleton(node).AddLogging();
        // sample 3
        await using var provider = services.BuildServiceProvider();
        Assert.IsType<DatacakeDistributedCache>(provider.GetRequiredService<IDistributedCache>());
        var store = provider.GetRequiredService<Microsoft.AspNetCore.Session.ISessionStore>();
        var session = store.Create("key", TimeSpan.FromMinutes(20), TimeSpan.FromMinutes(1), static () => true, isNewSessionKey: true);
        session.SetString("cake", "carrot");
        await session.CommitAsync();
        Assert.Equal("carrot", store.Create("key", TimeSpan.FromMinutes(20), TimeSpan.FromMinutes(1), static () => true, isNewSessionKey: false).GetString("cake"));
        Samples.Reach(3);
    }
}

static class ReadingWrites
{
    public static async Task RunAsync()
    {
        await using var node = await Samples.StartNodeAsync(1, static options => options.UseMemory());
        var builder = WebApplication.CreateBuilder(["--urls", "http://127.0.0.1:0"]);
        builder.Services.AddSingleton(node);
        // sample 4
        await using (app)
        {
            await app.StartAsync();
            using var client = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
            using var saved = await client.PostAsync("/cakes?name=carrot", null);
            Assert.Contains(".Datacake.Saves", Assert.Single(saved.Headers.GetValues("Set-Cookie")));
            Assert.Equal(["carrot"], (await client.GetFromJsonAsync<string[]>("/cakes"))!);
            using var sold = await client.PostAsync("/sale", null);
            Assert.True(sold.Headers.Contains("Set-Cookie"));
            await app.StopAsync();
        }
        Samples.Reach(4);
    }
}

static class Events
{
    public static async Task RunAsync()
    {
        await using var node = await Samples.StartNodeAsync(1, static options => options.UseMemory());
        var builder = WebApplication.CreateBuilder(["--urls", "http://127.0.0.1:0"]);
        builder.Services.AddSingleton(node);
        // sample 5
        await using (app)
        {
            await app.StartAsync();
            using var client = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
            using var reader = new StreamReader(await client.GetStreamAsync("/cakes/events"));
            while (await reader.ReadLineAsync() is { } begun && begun != "event: ready")
                Assert.DoesNotContain("added", begun);
            await using (var db = new ShopContext(node))
            {
                db.Add(new Cake { Name = "carrot", Price = 10 });
                await db.SaveChangesAsync();
            }
            while (await reader.ReadLineAsync() is { } line && line != "event: added")
                Assert.DoesNotContain("removed", line);
            Assert.Contains("\"name\":\"carrot\"", await reader.ReadLineAsync());
            await app.StopAsync();
        }
        Samples.Reach(5);
    }
}

public sealed class ChatHub : Hub;

static class SignalR
{
    public static async Task RunAsync()
    {
        await using var node = await Samples.StartNodeAsync(1, static options => options.UseMemory());
        var builder = WebApplication.CreateBuilder(["--urls", "http://127.0.0.1:0"]);
        builder.Services.AddSingleton(node);
        // sample 6
        await using (app)
        {
            await app.StartAsync();
            Assert.Equal("Datacake.AspNetCore", app.Services.GetRequiredService<HubLifetimeManager<ChatHub>>().GetType().Assembly.GetName().Name);
            using var client = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
            using var sent = await client.PostAsync("/offers?text=carrot", null);
            Assert.True(sent.IsSuccessStatusCode);
            await app.StopAsync();
        }
        Samples.Reach(6);
    }
}

static class ReplacingRedis
{
    // Three copies, with the settings that the document shows.
    public static async Task RunAsync()
    {
        var copies = new List<WebApplication>();
        try
        {
            for (int node = 1; node <= 3; node++)
                copies.Add(Create(node));
            await Task.WhenAll(copies.Select(static copy => Task.Run(() => copy.StartAsync())));
            foreach (var copy in copies)
                await (await copy.Services.GetRequiredService<DatacakeNode>().OpenStoreAsync()).WaitForMembersAsync(3, TimeSpan.FromMinutes(1));
            var cookies = new CookieContainer();        // of one browser, whose requests reach all copies
            var clients = copies.Select(copy => new HttpClient(new SocketsHttpHandler { CookieContainer = cookies }) { BaseAddress = new Uri(copy.Urls.Single()) }).ToArray();

            await GetAsync(0, "/cart/carrot");
            await Samples.WaitUntilAsync(async () => await GetAsync(1, "/cart") == "carrot", "the second copy has the session");
            await GetAsync(1, "/cart/apple");
            await Samples.WaitUntilAsync(async () => await GetAsync(2, "/cart") == "apple", "the third copy has the session");

            foreach (string cache in new[] { "menu", "cake" })
            {
                await Samples.WaitUntilAsync(async () => await GetAsync(0, "/" + cache) == await GetAsync(1, "/" + cache), $"two copies share the {cache}");
                string shared = await GetAsync(1, "/" + cache);
                await GetAsync(2, $"/{cache}/evict");
                await Samples.WaitUntilAsync(async () => await GetAsync(0, "/" + cache) != shared && await GetAsync(1, "/" + cache) != shared, $"the {cache} is evicted on all copies");
            }

            await copies[1].StopAsync();
            await GetAsync(2, "/cart/cherry");
            await Samples.WaitUntilAsync(async () => await GetAsync(0, "/cart") == "cherry", "two of three copies change a session");
            foreach (var copy in copies)
                await copy.StopAsync();
            Samples.Reach(7);

            async Task<string> GetAsync(int copy, string path) => await clients[copy].GetStringAsync(path);
        }
        finally
        {
            foreach (var copy in copies)
                await copy.DisposeAsync();
        }
    }

    static WebApplication Create(int node)
    {
        string[] args =
        [
            "--urls", "http://127.0.0.1:0", "--Datacake:NodeId", $"{node}", "--Datacake:ListenOn", Samples.AddressOf(node), "--Datacake:ClusterSecret", Samples.Secret,
            "--Datacake:Seeds:0", Samples.AddressOf(1), "--Datacake:Seeds:1", Samples.AddressOf(2), "--Datacake:Seeds:2", Samples.AddressOf(3),
            "--Datacake:Storage:Kind", "sqlite", "--Datacake:Storage:Path", $"shop{node}.db", "--Datacake:Store:ExpectedNodes", "3",
        ];
        // sample 7
        var app = builder.Build();
        int made = 0;
        app.UseSession();
        app.UseOutputCache();
        app.MapGet("/cart", static (HttpContext context) => context.Session.GetString("cart") ?? "");
        app.MapGet("/cart/{cake}", static (string cake, HttpContext context) => context.Session.SetString("cart", cake));
        app.MapGet("/menu", () => $"{node}/{Interlocked.Increment(ref made)}").CacheOutput(static policy => policy.SetVaryByHost(false).Tag("menu"));
        app.MapGet("/menu/evict", static async (IOutputCacheStore cache) => await cache.EvictByTagAsync("menu", default));
        app.MapGet("/cake", async (HybridCache cache) => await cache.GetOrCreateAsync("cake", _ => ValueTask.FromResult($"{node}/{Interlocked.Increment(ref made)}"), tags: ["cakes"]));
        app.MapGet("/cake/evict", static async (HybridCache cache) => await cache.RemoveByTagAsync("cakes"));
        return app;
    }
}
