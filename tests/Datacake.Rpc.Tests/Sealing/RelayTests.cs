using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Datacake.Rpc.Framing;
using Datacake.Rpc.Handshake;
using Datacake.Rpc.Sealing;
using Datacake.Rpc.Tests.Fixtures;

namespace Datacake.Rpc.Tests.Sealing;

/// <summary>A relay that forwards the messages of two nodes in order to impersonate one of them after the proofs.</summary>
[SuppressMessage("Security", "CA5359", Justification = "The attacker trusts everybody.")]
public sealed class RelayTests : IDisposable
{
    const string Secret = "the secret of the cluster";

    static readonly byte[] Hello = Encoding.UTF8.GetBytes("something that nobody else should read");

    readonly TestAuthority _authority = new();
    int _touched;

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _authority.Dispose();

    [Fact]
    public async Task Contents_cannot_be_read_in_transit()
    {
        await using var pair = await Pair.StartAsync("sealed", services: TestService.Echo);
        using (var reply = await pair.Channel.CallAsync("echo", "echo", Hello, cancellationToken: Stop).Soon())
            Assert.Equal(Hello, reply.Memory.ToArray());
        var written = pair.Transport.Written.ToArray();
        Assert.Equal(-1, written.AsSpan().IndexOf(Hello.AsSpan(0, 8)));
        Assert.Equal(-1, written.AsSpan().IndexOf("echo"u8));
    }

    [Fact]
    public async Task Byte_changed_in_transit_ends_the_connection_with_the_reason()
    {
        using var log = new CollectingLog();
        await using var pair = await Pair.StartAsync("sealed", options => options with { Logger = log }, services: TestService.Echo);
        (await pair.Channel.CallAsync("echo", "echo", Hello, cancellationToken: Stop).Soon()).Dispose();
        pair.Transport.Tamper = bytes =>
        {
            var changed = bytes.ToArray();
            changed[^1] ^= 1;
            return changed;
        };
        await pair.Channel.CallAsync("echo", "echo", Hello, cancellationToken: Stop).Fails(RpcStatus.Connection);
        await Expect.Until(() => log.Contains("Somebody in between changes the traffic"));
    }

    [Fact]
    public async Task Replayed_bytes_end_the_connection_with_the_reason()
    {
        using var log = new CollectingLog();
        await using var pair = await Pair.StartAsync("sealed", options => options with { Logger = log }, services: Touched());
        (await pair.Channel.CallAsync("test", "touch", Hello, cancellationToken: Stop).Soon()).Dispose();
        pair.Transport.Tamper = bytes => (byte[])[.. bytes.Span, .. bytes.Span];
        await pair.Channel.CallAsync("test", "touch", Hello, cancellationToken: Stop).AsTask().ContinueWith(static _ => { }, Stop).Soon();
        await Expect.Until(() => log.Contains("Somebody in between changes the traffic"));
        Assert.InRange(_touched, 1, 2);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Relay_that_forwards_both_proofs_reaches_no_service(bool isPlainAfterwards)
    {
        using var log = new CollectingLog();
        await using var server = await RpcServer.StartAsync("127.0.0.1:0", new RpcServerOptions { ClusterSecret = Secret, Logger = log }, Stop);
        server.AddService(Touched());
        using var relay = new TcpListener(IPAddress.Loopback, 0);
        relay.Start();
        await using var channel = new RpcChannel(relay.LocalEndpoint.ToString()!, new RpcChannelOptions { ClusterSecret = Secret });
        var calling = channel.CallAsync("test", "touch", Hello, cancellationToken: Stop).AsTask();

        using var fromNode = (await relay.AcceptTcpClientAsync(Stop).Soon()).GetStream();
        using var toServer = new TcpClient();
        await toServer.ConnectAsync(IPEndPoint.Parse(server.Address), Stop).Soon();
        var there = toServer.GetStream();
        await PassOnAsync(fromNode, there);     // The greetings.
        await PassOnAsync(there, fromNode);
        await PassOnAsync(fromNode, there);     // The proofs.
        await PassOnAsync(there, fromNode);

        // From here on, the relay impersonates the node.
        var one = RawClient.Frame(FrameType.Request, 1, 0, Route.Encode("test", "touch"));
        byte[] frame = [.. Enumerable.Repeat(one, 100).SelectMany(bytes => bytes)];
        var guess = new byte[frame.Length + RecordCipher.Overhead];
        using (var cipher = new RecordCipher(new byte[32]))
            cipher.Seal(frame, guess);
        await there.WriteAsync(isPlainAfterwards ? frame : guess, Stop);
        await Expect.Until(() => log.Contains("Somebody in between changes the traffic") || log.Contains("has closed the connection"));
        Assert.Equal(0, await there.ReadAsync(new byte[100], Stop).Soon());
        Assert.Equal(0, _touched);
        fromNode.Close();
        await calling.ContinueWith(static _ => { }, Stop).Soon();
    }

    [Fact]
    public async Task Relay_that_terminates_TLS_is_refused_even_if_its_certificate_is_trusted()
    {
        var tls = new RpcTls { Certificate = _authority.Issue("server"), TrustedIssuers = _authority.Roots };
        await using var server = await RpcServer.StartAsync(
            "127.0.0.1:0", new RpcServerOptions { ClusterSecret = Secret, Tls = tls }, Stop);
        server.AddService(Touched());
        using var relay = new TcpListener(IPAddress.Loopback, 0);
        relay.Start();
        await using var channel = new RpcChannel(
            relay.LocalEndpoint.ToString()!,
            new RpcChannelOptions { ClusterSecret = Secret, Tls = new RpcTls { Validate = static (_, _, _) => true } });
        var calling = channel.CallAsync("test", "touch", Hello, cancellationToken: Stop).AsTask();

        using var fromNode = new SslStream((await relay.AcceptTcpClientAsync(Stop).Soon()).GetStream());
        await fromNode.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = _authority.Issue("relay") }, Stop).Soon();
        using var toServer = new TcpClient();
        await toServer.ConnectAsync(IPEndPoint.Parse(server.Address), Stop).Soon();
        using var there = new SslStream(toServer.GetStream(), leaveInnerStreamOpen: false, static (_, _, _, _) => true);
        await there.AuthenticateAsClientAsync("server").Soon();
        await PassOnAsync(fromNode, there);
        await PassOnAsync(there, fromNode);
        await PassOnAsync(fromNode, there);
        await PassOnAsync(there, fromNode);     // The refusal.
        var failure = await calling.Fails(RpcStatus.Unauthenticated);
        Assert.Contains("differs from the server's", failure.Message, StringComparison.Ordinal);
        Assert.Equal(0, _touched);
    }

    [Fact]
    public async Task A_server_that_does_not_know_the_secret_is_refused_whatever_it_answers()
    {
        using var stranger = new TcpListener(IPAddress.Loopback, 0);
        stranger.Start();
        await using var channel = new RpcChannel(stranger.LocalEndpoint.ToString()!, new RpcChannelOptions { ClusterSecret = Secret });
        var calling = channel.CallAsync("test", "touch", Hello, cancellationToken: Stop).AsTask();
        using var client = (await stranger.AcceptTcpClientAsync(Stop).Soon()).GetStream();
        using var exchange = new KeyExchange();
        await ReadStepAsync(client);
        await client.WriteAsync(RawClient.Step(0x80, Greeting.Write(ProtocolVersions.Current, new RpcLimits(), exchange.PublicKey)), Stop);
        var proof = await ReadStepAsync(client);
        await client.WriteAsync(proof, Stop);       // The proof is sent back.
        var failure = await calling.Fails(RpcStatus.Unauthenticated);
        Assert.Contains("does not know the cluster secret", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_client_without_the_proof_reaches_no_service(bool hasKey)
    {
        using var log = new CollectingLog();
        await using var pair = await Pair.StartAsync("sealed", options => options with { Logger = log }, services: Touched());
        await using var client = await RawClient.ConnectAsync(pair.Server);
        using var exchange = new KeyExchange();
        await client.SendAsync(
            [
                .. RawClient.Step(0x80, Greeting.Write(ProtocolVersions.Current, new RpcLimits(), hasKey ? exchange.PublicKey : new byte[KeyExchange.KeySize])),
                .. RawClient.Step(0x80, new byte[32]),
                .. RawClient.Frame(FrameType.Request, 1, 0, Route.Encode("test", "touch")),
            ]);
        await client.IsCutAsync();
        await Expect.Until(() => log.Contains(hasKey ? "differs from the server's" : "public key of the other side is invalid"));
        Assert.Equal(0, _touched);
    }

    TestService Touched() => new("test", handlers => handlers.HandleBytes("touch", (request, _) =>
    {
        Interlocked.Increment(ref _touched);
        return ValueTask.FromResult<ReadOnlyMemory<byte>>(Hello);
    }));

    static async Task PassOnAsync(Stream from, Stream to) => await to.WriteAsync(await ReadStepAsync(from), Stop).Soon();

    static async Task<byte[]> ReadStepAsync(Stream stream)
    {
        var header = new byte[8];
        await stream.ReadExactlyAsync(header, Stop).Soon();
        var body = new byte[header[6] | (header[7] << 8)];
        await stream.ReadExactlyAsync(body, Stop).Soon();
        return [.. header, .. body];
    }
}
