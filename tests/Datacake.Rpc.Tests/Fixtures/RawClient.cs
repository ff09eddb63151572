using System.Buffers.Binary;
using Datacake.Rpc.Framing;
using Datacake.Rpc.Handshake;
using Datacake.Rpc.Sealing;

namespace Datacake.Rpc.Tests.Fixtures;

/// <summary>A client that sends arbitrary bytes.</summary>
sealed class RawClient : IAsyncDisposable
{
    readonly TransportConnection _connection;

    RawClient(TransportConnection connection) => _connection = connection;

    public Stream Stream => _connection.Stream;

    public static async Task<RawClient> ConnectAsync(RpcServer server, ITransport? transport = null) =>
        new(await (transport ?? TcpTransport.Default).ConnectAsync(server.Address).Soon());

    /// <summary>Returns a greeting of the current version.</summary>
    public static byte[] Greeting(bool hasSecret) =>
        Step(hasSecret ? (byte)0x80 : (byte)0, Rpc.Handshake.Greeting.Write(ProtocolVersions.Current, new RpcLimits(), []));

    /// <summary>Returns a step of the handshake.</summary>
    public static byte[] Step(byte code, byte[] body) => [.. "DCRP"u8, ProtocolVersions.Current.Highest, code, (byte)body.Length, 0, .. body];

    /// <summary>Returns a client that has completed the handshake.</summary>
    public static async Task<RawClient> GreetAsync(RpcServer server, ITransport? transport = null)
    {
        var client = await ConnectAsync(server, transport);
        await HandshakeProtocol.ConnectAsync(client.Stream, new RpcLimits(), ProtocolVersions.Current, ClusterSecrets.None, null, default).Soon();
        return client;
    }

    public static byte[] Frame(
        FrameType type, uint id, uint value = 0, byte[]? meta = null, byte[]? payload = null, FrameFlags flags = FrameFlags.None)
    {
        (meta, payload) = (meta ?? [], payload ?? []);
        var frame = new byte[FrameHeader.Size + meta.Length + payload.Length];
        new FrameHeader(type, flags, id, value, meta.Length, meta.Length + payload.Length).Write(frame);
        meta.CopyTo(frame, FrameHeader.Size);
        payload.CopyTo(frame, FrameHeader.Size + meta.Length);
        return frame;
    }

    public Task SendAsync(params byte[] bytes) => Stream.WriteAsync(bytes).Soon();

    /// <summary>Reads a frame.</summary>
    public async Task<(FrameHeader Header, byte[] Body)> ReceiveAsync()
    {
        var header = new byte[FrameHeader.Size];
        await Stream.ReadExactlyAsync(header).Soon();
        var body = new byte[BinaryPrimitives.ReadInt32LittleEndian(header)];
        await Stream.ReadExactlyAsync(body).Soon();
        return (FrameHeader.Read(header), body);
    }

    /// <summary>Reads until the server closes the connection.</summary>
    public async Task IsCutAsync()
    {
        var buffer = new byte[4096];
        try
        {
            while (await Stream.ReadAsync(buffer).Soon() > 0)
            {
            }
        }
        catch (IOException)
        {
        }
    }

    public ValueTask DisposeAsync() => _connection.DisposeAsync();
}
