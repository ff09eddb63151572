using System.Buffers.Binary;
using System.Text;
using Datacake.Rpc.Framing;

namespace Datacake.Rpc.Handshake;

/// <summary>
/// What both sides say before the first frame. Each step is <c>DCRP</c>, the sender's version of the protocol (1 byte), code (1), body
/// length (2, little-endian), body; this form is the same in all versions, so that any two can refuse each other in words. Both sides
/// begin with a <see cref="Greeting"/>. If the server has a cluster secret, the client then proves that it knows it, and the server
/// proves it in return: an HMAC-SHA256, keyed by the secret, over the role and both greetings as they were sent, each with its fresh
/// random number. The secret itself never travels, a recorded proof is worth nothing, neither side can be made to compute the other's,
/// and nobody in between can change what the sides say of their versions, capabilities and limits.
/// </summary>
static class HandshakeProtocol
{
    const int HeaderSize = 8;
    const int MaxBodySize = 1024;
    const byte TlsAlert = 0x15;     // types of TLS records
    const byte TlsHello = 0x16;
    const byte Plain = 0;           // codes of a client
    const byte WithSecret = 0x80;   // flag of the client's code and the server's: the proofs follow

    /// <summary>The most bytes of one step.</summary>
    public const int MaxStepSize = HeaderSize + MaxBodySize;

    static ReadOnlySpan<byte> Magic => "DCRP"u8;

    /// <summary>The calling side.</summary>
    /// <exception cref="RpcException">The server refused, or is none.</exception>
    public static async ValueTask<Agreement> ConnectAsync(
        Stream stream, RpcLimits limits, ProtocolVersions versions, ClusterSecrets secrets, CancellationToken cancellationToken)
    {
        var mine = NewStep(versions, secrets.IsEmpty ? Plain : WithSecret, Greeting.Write(versions, limits));
        try
        {
            await stream.WriteAsync(mine, cancellationToken).ConfigureAwait(false);
        }
        catch (IOException)
        {
            // A server that turns everybody away may have closed before it got our greeting: what it said is still there.
        }

        var theirs = await ReceiveAsync(stream, "server", cancellationToken).ConfigureAwait(false);
        theirs.ThrowIfRefused();
        var agreement = Greeting.Agree("server", theirs.Version, theirs.Body, versions);
        if (secrets.IsEmpty)
            return agreement;
        if (theirs.Code != WithSecret)
            throw SecretMissing("the server has no secret");

        byte[] greetings = [.. mine, .. theirs.Bytes];
        await stream.WriteAsync(NewStep(versions, WithSecret, secrets.ProveAsClient(greetings)), cancellationToken).ConfigureAwait(false);
        var answer = await ReceiveAsync(stream, "server", cancellationToken).ConfigureAwait(false);
        answer.ThrowIfRefused();
        if (!secrets.IsProofOfServer(answer.Body, greetings))
            throw new RpcException(RpcStatus.Unauthenticated, "the server does not know the cluster secret");
        return agreement;
    }

    /// <summary>
    /// The answering side. A client that is refused is told why; with a <paramref name="refusal"/>, it is so whatever it says.
    /// </summary>
    /// <exception cref="RpcException">The client was refused, or is none.</exception>
    public static async ValueTask<Agreement> AcceptAsync(
        Stream stream,
        RpcLimits limits,
        ProtocolVersions versions,
        ClusterSecrets secrets,
        RpcException? refusal,
        CancellationToken cancellationToken)
    {
        try
        {
            var theirs = await ReceiveAsync(stream, "client", cancellationToken).ConfigureAwait(false);
            if (refusal is not null)
                throw refusal;
            theirs.ThrowIfRefused();
            var agreement = Greeting.Agree("client", theirs.Version, theirs.Body, versions);
            if (!secrets.IsEmpty && theirs.Code != WithSecret)
                throw SecretMissing("this server asks for a secret, and the client has none");
            if (secrets.IsEmpty && theirs.Code == WithSecret)
                throw SecretMissing("the client asks for a secret, and this server has none");
            var mine = NewStep(versions, secrets.IsEmpty ? Plain : WithSecret, Greeting.Write(versions, limits));
            await stream.WriteAsync(mine, cancellationToken).ConfigureAwait(false);
            if (secrets.IsEmpty)
                return agreement;

            byte[] greetings = [.. theirs.Bytes, .. mine];
            var proof = await ReceiveAsync(stream, "client", cancellationToken).ConfigureAwait(false);
            proof.ThrowIfRefused();
            if (secrets.Answer(proof.Body, greetings) is not { } answer)
                throw new RpcException(RpcStatus.Unauthenticated, "the client's cluster secret differs from the server's");
            await stream.WriteAsync(NewStep(versions, WithSecret, answer), cancellationToken).ConfigureAwait(false);
            return agreement;
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
        var body = text.AsSpan(0, Math.Min(text.Length, MaxBodySize));
        return stream.WriteAsync(NewStep(ProtocolVersions.Current, (byte)reason.Status, body), cancellationToken);
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

    // The text goes into logs, and whoever wrote it may be anybody.
    static RpcException Refusal(byte code, ReadOnlySpan<byte> body)
    {
        var status = (RpcStatus)code;
        return new RpcException(
            Enum.IsDefined(status) ? status : RpcStatus.Connection,
            string.Concat(Encoding.UTF8.GetString(body).Select(letter => char.IsControl(letter) ? ' ' : letter)));
    }

    static byte[] NewStep(ProtocolVersions versions, byte code, ReadOnlySpan<byte> body)
    {
        var step = new byte[HeaderSize + body.Length];
        Magic.CopyTo(step);
        step[4] = versions.Highest;
        step[5] = code;
        BinaryPrimitives.WriteUInt16LittleEndian(step.AsSpan(6), (ushort)body.Length);
        body.CopyTo(step.AsSpan(HeaderSize));
        return step;
    }

    static async ValueTask<Step> ReceiveAsync(Stream stream, string who, CancellationToken cancellationToken)
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
        var length = BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(6));
        if (length > MaxBodySize)
            throw new RpcException(RpcStatus.InvalidPayload, $"the {who}'s greeting has {length} bytes; {MaxBodySize} are allowed");
        var body = new byte[length];
        await stream.ReadExactlyAsync(body, cancellationToken).ConfigureAwait(false);
        return new Step(header, body);
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

    /// <summary>The bytes of the other side's greeting, as received.</summary>
    readonly record struct Step(byte[] Header, byte[] Body)
    {
        public byte Version => Header[4];

        public byte Code => Header[5];

        public byte[] Bytes => [.. Header, .. Body];

        public void ThrowIfRefused()
        {
            if (Code is not (Plain or WithSecret))
                throw Refusal(Code, Body);
        }
    }
}
