using System.Security.Cryptography.X509Certificates;
using System.Text;
using Datacake.Rpc;
using MessagePack;

// types of sample 1

public sealed record Sum(int Total) : IRpcMessage<Sum>
{
    public static string Name => "sum";

    public static Sum Read(ref MessagePackReader reader) => new(reader.ReadInt32());

    public void Write(ref MessagePackWriter writer) => writer.Write(Total);
}

static class Calling
{
    public static async Task RunAsync()
    {
        string secret = Samples.Secret;
        // sample 1
        Assert.Equal(42, sum.Total);
        using var echo = await channel.CallAsync("calculator", "echo", "cake"u8.ToArray());
        Assert.Equal("cake"u8, echo.Span);
        await using var count = await channel.OpenStreamAsync("calculator", "count");
        await count.WriteAsync("cake"u8.ToArray());
        Samples.Reach(1);
    }
}

static class Encrypting
{
    public static async Task RunAsync()
    {
        string secret = Samples.Secret, password = "tiers";
        Samples.WriteCertificates(password);
        // sample 2
        server.AddService(new Calculator());
        Assert.Equal(42, (await channel.CallAsync<Add, Sum>("calculator", new Add(40, 2))).Total);
        Samples.Reach(2);
    }
}

static class RenewingCertificates
{
    public static async Task RunAsync()
    {
        Samples.WriteCertificates("tiers");
        // sample 3
        await using var server = await RpcServer.StartAsync(Samples.AddressOf(1), new RpcServerOptions { Tls = tls });
        server.AddService(new Calculator());
        await using var channel = new RpcChannel(Samples.AddressOf(1), new RpcChannelOptions { Tls = tls });
        Assert.Equal(42, (await channel.CallAsync<Add, Sum>("calculator", new Add(40, 2))).Total);
        Samples.Reach(3);
    }
}

// types of sample 4

static class SendingHeaders
{
    public static async Task RunAsync()
    {
        await using var server = await RpcServer.StartAsync(Samples.AddressOf(1));
        server.AddService(new Greeter());
        await using var channel = new RpcChannel(Samples.AddressOf(1));
        // sample 4
        Assert.Equal("Hello, north!\n", Samples.TakeOutput());
        Samples.Reach(4);
    }
}
