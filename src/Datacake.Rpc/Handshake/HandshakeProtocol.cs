using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Datacake.Rpc.Framing;

namespace Datacake.Rpc.Handshake;

/// <summary>
/// What both sides say before the first frame. Each step is <c>DCRP</c>, format version (1 byte), code (1), body length (2,
/// little-endian), body. The client says what it takes, the server answers what it takes; if the server has a cluster secret, the
/// client then proves that it knows it, and the server proves it in return: an HMAC-SHA256, keyed by the secret, over the role and both
/// sides' fresh random numbers. The secret itself never travels, a recorded proof is worth nothing, and neither side can be made to
/// compute the other's.
/// </summary>
static class HandshakeProtocol
{
    const byte Version = 1;
    const int HeaderSize = 8;
    const int NonceSize = 32;
    const int LimitsSize = 16;
    const int BodySize = LimitsSize + NonceSize;
    const int MaxBodySize = 1024;
    const byte TlsAlert = 0x15;     // types of TLS records
    const byte TlsHello = 0x16;
    const byte Plain = 0;           // codes of a client
    const byte WithSecret = 0x80;   // flag of the client's code and the server's: the proofs follow

    /// <summary>The most bytes of one step.</summary>
    public const int MaxStepSize = HeaderSize + MaxBodySize;

    static ReadOnlySpan<byte> Magic => "DCRP"u8;

    static ReadOnlySpan<byte> ClientRole => "datacake rpc client"u8;

    static ReadOnlySpan<byte> ServerRole => "datacake rpc server"u8;

    /// <summary>The calling side.</summary>
    /// <exception cref="RpcException">The server refused, or is none.</exception>
    public static async ValueTask<PeerLimits> ConnectAsync(
        Stream stream, RpcLimits limits, ReadOnlyMemory<byte> secret, CancellationToken cancellationToken)
    {
        var mine = NewBody(limits);
        try
        {
            await SendAsync(stream, secret.IsEmpty ? Plain : WithSecret, mine, cancellationToken).ConfigureAwait(false);
        }
        catch (IOException)
        {
            // A server that turns everybody away may have closed before it got our greeting: what it said is still there.
        }

        var (code, theirs) = await ReceiveAsync(stream, "server", cancellationToken).ConfigureAwait(false);
        ThrowIfRefused(code, theirs);
        if (theirs.Length < BodySize)
            throw new RpcException(RpcStatus.InvalidPayload, "the server's greeting is too short");
        if (secret.IsEmpty)
            return ReadLimits(theirs);
        if (code != WithSecret)
            throw SecretMissing("the server has no secret");

        var (clientNonce, serverNonce) = (mine[^NonceSize..], theirs[LimitsSize..BodySize]);
        await SendAsync(stream, WithSecret, Prove(secret, ClientRole, clientNonce, serverNonce), cancellationToken).ConfigureAwait(false);
        var (verdict, proof) = await ReceiveAsync(stream, "server", cancellationToken).ConfigureAwait(false);
        ThrowIfRefused(verdict, proof);
        if (!CryptographicOperations.FixedTimeEquals(proof, Prove(secret, ServerRole, clientNonce, serverNonce)))
            throw new RpcException(RpcStatus.Unauthenticated, "the server does not know the cluster secret");
        return ReadLimits(theirs);
    }

    /// <summary>
    /// The answering side. A client that is refused is told why; with a <paramref name="refusal"/>, it is so whatever it says.
    /// </summary>
    /// <exception cref="RpcException">The client was refused, or is none.</exception>
    public static async ValueTask<PeerLimits> AcceptAsync(
        Stream stream, RpcLimits limits, ReadOnlyMemory<byte> secret, RpcException? refusal, CancellationToken cancellationToken)
    {
        try
        {
            var (code, theirs) = await ReceiveAsync(stream, "client", cancellationToken).ConfigureAwait(false);
            if (refusal is not null)
                throw refusal;
            ThrowIfRefused(code, theirs);
            if (theirs.Length < BodySize)
                throw new RpcException(RpcStatus.InvalidPayload, "the client's greeting is too short");
            if (!secret.IsEmpty && code != WithSecret)
                throw SecretMissing("this server asks for a secret, and the client has none");
            if (secret.IsEmpty && code == WithSecret)
                throw SecretMissing("the client asks for a secret, and this server has none");
            var mine = NewBody(limits);
            await SendAsync(stream, secret.IsEmpty ? Plain : WithSecret, mine, cancellationToken).ConfigureAwait(false);
            if (secret.IsEmpty)
                return ReadLimits(theirs);

            var (clientNonce, serverNonce) = (theirs[LimitsSize..BodySize], mine[^NonceSize..]);
            var (_, proof) = await ReceiveAsync(stream, "client", cancellationToken).ConfigureAwait(false);
            if (!CryptographicOperations.FixedTimeEquals(proof, Prove(secret, ClientRole, clientNonce, serverNonce)))
                throw new RpcException(RpcStatus.Unauthenticated, "the client's cluster secret is another than the server's");
            var answer = Prove(secret, ServerRole, clientNonce, serverNonce);
            await SendAsync(stream, WithSecret, answer, cancellationToken).ConfigureAwait(false);
            return ReadLimits(theirs);
        }
        catch (RpcException reason)
        {
            try
            {
                await RefuseAsync(stream, reason, cancellationToken).ConfigureAwait(false);
            }
            catch (IOException)
            {
                // It has gone without waiting for the reason.
            }

            throw;
        }
    }

    /// <summary>Tells the other side why nothing will come of it.</summary>
    public static ValueTask RefuseAsync(Stream stream, RpcException reason, CancellationToken cancellationToken)
    {
        var text = Encoding.UTF8.GetBytes(reason.Message);
        return SendAsync(stream, (byte)reason.Status, text.Length > MaxBodySize ? text[..MaxBodySize] : text, cancellationToken);
    }

    /// <summary>Tells a server why this side does not want it, and gives it the time to take that in.</summary>
    public static async ValueTask RefuseServerAsync(Stream stream, RpcException reason, CancellationToken cancellationToken)
    {
        try
        {
            await RefuseAsync(stream, reason, cancellationToken).ConfigureAwait(false);
            _ = await stream.ReadAsync(new byte[MaxStepSize], cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (error is IOException or OperationCanceledException)
        {
            // It has gone, or does not close: the reason is the same.
        }
    }

    /// <summary>Whether the other side has begun with our protocol.</summary>
    public static bool IsGreeting(ReadOnlySpan<byte> firstBytes) => firstBytes.StartsWith(Magic);

    /// <summary>The refusal that a server has sent where something else was expected; null if it is none.</summary>
    public static RpcException? ReadRefusal(byte[] firstBytes)
    {
        if (!IsGreeting(firstBytes))
            return null;
        var isWhole = firstBytes.Length > HeaderSize
            && firstBytes.Length - HeaderSize == BinaryPrimitives.ReadUInt16LittleEndian(firstBytes.AsSpan(6));
        return isWhole && firstBytes[5] is not (Plain or WithSecret)
            ? Refusal(firstBytes[5], firstBytes.AsSpan(HeaderSize))
            : new RpcException(RpcStatus.Unauthenticated, "the server does not speak TLS; set Tls in its options");
    }

    static RpcException SecretMissing(string which) =>
        new(RpcStatus.Unauthenticated, $"{which}; set the same ClusterSecret on all nodes");

    static byte[] NewBody(RpcLimits limits)
    {
        var body = new byte[BodySize];
        BinaryPrimitives.WriteInt32LittleEndian(body, limits.MessageSize);
        BinaryPrimitives.WriteInt32LittleEndian(body.AsSpan(4), limits.CallsInFlight);
        BinaryPrimitives.WriteInt32LittleEndian(body.AsSpan(8), limits.StreamWindow);
        BinaryPrimitives.WriteInt32LittleEndian(body.AsSpan(12), limits.HeaderSize);
        RandomNumberGenerator.Fill(body.AsSpan(LimitsSize));
        return body;
    }

    static PeerLimits ReadLimits(byte[] body)
    {
        var limits = new PeerLimits(
            BinaryPrimitives.ReadInt32LittleEndian(body),
            BinaryPrimitives.ReadInt32LittleEndian(body.AsSpan(4)),
            BinaryPrimitives.ReadInt32LittleEndian(body.AsSpan(8)),
            BinaryPrimitives.ReadInt32LittleEndian(body.AsSpan(12)));
        return limits is { MessageSize: > 0, CallsInFlight: > 0, StreamWindow: > 0, HeaderSize: > 0 and <= ushort.MaxValue }
            ? limits
            : throw new RpcException(RpcStatus.InvalidPayload, "the greeting names limits that allow nothing");
    }

    static byte[] Prove(
        ReadOnlyMemory<byte> secret, ReadOnlySpan<byte> role, ReadOnlySpan<byte> clientNonce, ReadOnlySpan<byte> serverNonce) =>
        HMACSHA256.HashData(secret.Span, [.. role, .. clientNonce, .. serverNonce]);

    static void ThrowIfRefused(byte code, byte[] body)
    {
        if (code is not (Plain or WithSecret))
            throw Refusal(code, body);
    }

    // The text goes into logs, and whoever wrote it may be anybody.
    static RpcException Refusal(byte code, ReadOnlySpan<byte> body)
    {
        var status = (RpcStatus)code;
        return new RpcException(
            Enum.IsDefined(status) ? status : RpcStatus.Connection,
            string.Concat(Encoding.UTF8.GetString(body).Select(letter => char.IsControl(letter) ? ' ' : letter)));
    }

    static async ValueTask SendAsync(Stream stream, byte code, byte[] body, CancellationToken cancellationToken)
    {
        var step = new byte[HeaderSize + body.Length];
        Magic.CopyTo(step);
        step[4] = Version;
        step[5] = code;
        BinaryPrimitives.WriteUInt16LittleEndian(step.AsSpan(6), (ushort)body.Length);
        body.CopyTo(step, HeaderSize);
        await stream.WriteAsync(step, cancellationToken).ConfigureAwait(false);
    }

    static async ValueTask<(byte Code, byte[] Body)> ReceiveAsync(Stream stream, string who, CancellationToken cancellationToken)
    {
        var header = new byte[HeaderSize];
        await stream.ReadExactlyAsync(header, cancellationToken).ConfigureAwait(false);
        if (header[0] is TlsAlert or TlsHello)
        {
            await SkipTlsRecordAsync(stream, header, cancellationToken).ConfigureAwait(false);
            throw new RpcException(
                RpcStatus.Unauthenticated, $"the {who} speaks TLS, this side does not; set Tls in the options of both, or of neither");
        }

        if (!IsGreeting(header))
            throw new RpcException(RpcStatus.InvalidPayload, $"the {who} does not speak the Datacake RPC protocol");
        if (header[4] != Version)
        {
            throw new RpcException(
                RpcStatus.InvalidPayload,
                $"the {who} speaks version {header[4]} of the protocol, this side version {Version}; update the older one");
        }

        var length = BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(6));
        if (length > MaxBodySize)
            throw new RpcException(RpcStatus.InvalidPayload, $"the {who}'s greeting has {length} bytes; {MaxBodySize} are allowed");
        var body = new byte[length];
        await stream.ReadExactlyAsync(body, cancellationToken).ConfigureAwait(false);
        return (header[5], body);
    }

    // A connection that is closed with bytes unread is reset, and the other side may never see why. A record begins with its type (1),
    // version (2) and length (2, big-endian); a hello comes in one piece.
    static async ValueTask SkipTlsRecordAsync(Stream stream, byte[] header, CancellationToken cancellationToken)
    {
        const int RecordHeaderSize = 5;
        var rest = RecordHeaderSize + BinaryPrimitives.ReadUInt16BigEndian(header.AsSpan(3)) - header.Length;
        if (rest > 0)
            _ = await stream.ReadAsync(new byte[rest], cancellationToken).ConfigureAwait(false);
    }
}
