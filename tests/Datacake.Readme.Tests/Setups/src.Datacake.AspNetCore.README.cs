using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Datacake.AspNetCore;
using Datacake.EventualConsistency;
using Datacake.Hosting;
using Datacake.Node;
using Datacake.Sqlite;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
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
