using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Datacake.Rpc.Logging;
using Datacake.Rpc.Sealing;

namespace Datacake.Rpc.Handshake;

/// <summary>
/// What both sides say before the first frame. Each step is <c>DCRP</c>, the sender's version of the protocol (1 byte), code (1), body
/// length (2, little-endian), body; this form is the same in all versions, so that any two can refuse each other in words. Both sides
/// begin with a <see cref="Greeting"/>. If the server has a cluster secret, the client then proves that it knows it, and the server
/// proves it in return. The proofs are derived from the secret, a key exchange and both greetings as they were sent, each with its fresh random number
/// (<see cref="ConnectionKeys"/>): the secret itself never travels, a recorded proof is worth nothing, neither side can be made to compute the other's,
/// and nobody in between can change what the sides say of their versions, capabilities and limits. A proof that is passed on by somebody in between
/// opens nothing for him: without TLS, all that follows is sealed with keys that he does not have (<see cref="SealedStream"/>); with TLS, the proofs cover the
/// certificate that the server has shown, which is his own if TLS ends at him.
/// </summary>
static class HandshakeProtocol
{
    const int HeaderSize = 8;
    const int MaxBodySize = 1024;
    const byte TlsAlert = 0x15;     // types of TLS records
    const byte TlsHello = 0x16;
    const byte Plain = 0;           // codes of a client
    const byte WithSecret = 0x80;   // flag of the client's code and the server's: the proofs follow

    // Each try to guess the secret holds one of the unfinished handshakes that a host may have (HandshakesPerHost) for so long: a stranger gets at little
    // work of this side, and at few guesses, and a node that knows the secret waits for nobody.
    static readonly TimeSpan WrongProofDelay = TimeSpan.FromMilliseconds(500);

    /// <summary>The most bytes of one step.</summary>
    public const int MaxStepSize = HeaderSize + MaxBodySize;

    static ReadOnlySpan<byte> Magic => "DCRP"u8;

    /// <summary>The calling side.</summary>
    /// <param name="stream">The connection.</param>
    /// <param name="limits">What this side takes.</param>
    /// <param name="versions">What this side speaks.</param>
    /// <param name="secrets">The secret to prove.</param>
    /// <param name="certificate">The hash of the certificate that the server has shown; null without TLS.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="RpcException">The server refused, or is none.</exception>
    public static async ValueTask<Handshaken> ConnectAsync(
        Stream stream,
        RpcLimits limits,
        ProtocolVersions versions,
        ClusterSecrets secrets,
        byte[]? certificate,
        CancellationToken cancellationToken)
    {
        using var exchange = secrets.IsEmpty ? null : new KeyExchange();
        var mine = NewStep(versions, secrets.IsEmpty ? Plain : WithSecret, Greeting.Write(versions, limits, exchange?.PublicKey));
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
        if (exchange is null)
            return theirs.Code == Plain ? new Handshaken(agreement, stream) : throw SecretMissing("the server asks for a secret, and this side has none");
        if (theirs.Code != WithSecret)
            throw SecretMissing("the server has no secret");

        byte[] transcript = [.. mine, .. theirs.Bytes, .. certificate ?? []];
        var keys = secrets.KeysOfClient(exchange.Agree(Greeting.KeyOf(theirs.Body)), transcript);
        await stream.WriteAsync(NewStep(versions, WithSecret, keys.ClientProof), cancellationToken).ConfigureAwait(false);
        var answer = await ReceiveAsync(stream, "server", cancellationToken).ConfigureAwait(false);
        answer.ThrowIfRefused();
        if (!CryptographicOperations.FixedTimeEquals(answer.Body, keys.ServerProof))
            throw new RpcException(RpcStatus.Unauthenticated, "the server does not know the cluster secret");
        return certificate is not null
            ? new Handshaken(agreement, stream)
            : new Handshaken(agreement, new SealedStream(stream, new RecordCipher(keys.FromClient), new RecordCipher(keys.FromServer)));
    }

    /// <summary>
    /// The answering side. A client that is refused is told why; with a <paramref name="refusal"/>, it is so whatever it says.
    /// </summary>
    /// <param name="stream">The connection.</param>
    /// <param name="limits">What this side takes.</param>
    /// <param name="versions">What this side speaks.</param>
    /// <param name="secrets">The secrets of which the client has to prove one.</param>
    /// <param name="certificate">The hash of the certificate that this side has shown; null without TLS.</param>
    /// <param name="refusal">Why the client is refused in any case.</param>
    /// <param name="timeProvider">Measures how long a client waits whose proof is wrong.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="RpcException">The client was refused, or is none.</exception>
    public static async ValueTask<Handshaken> AcceptAsync(
        Stream stream,
        RpcLimits limits,
        ProtocolVersions versions,
        ClusterSecrets secrets,
        byte[]? certificate,
        RpcException? refusal,
        TimeProvider timeProvider,
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
            using var exchange = secrets.IsEmpty ? null : new KeyExchange();
            var mine = NewStep(versions, secrets.IsEmpty ? Plain : WithSecret, Greeting.Write(versions, limits, exchange?.PublicKey));
            await stream.WriteAsync(mine, cancellationToken).ConfigureAwait(false);
            if (exchange is null)
                return new Handshaken(agreement, stream);

            byte[] transcript = [.. theirs.Bytes, .. mine, .. certificate ?? []];
            var proof = await ReceiveAsync(stream, "client", cancellationToken).ConfigureAwait(false);
            proof.ThrowIfRefused();
            if (secrets.KeysOfServer(proof.Body, exchange.Agree(Greeting.KeyOf(theirs.Body)), transcript) is not { } keys)
            {
                // A part of the time that a handshake may take, so that the client still hears why.
                await Task.Delay(TimeSpan.FromTicks(Math.Min(WrongProofDelay.Ticks, limits.HandshakeTime.Ticks / 4)), timeProvider, cancellationToken).ConfigureAwait(false);
                throw new RpcException(RpcStatus.Unauthenticated, "the client's cluster secret differs from the server's");
            }

            await stream.WriteAsync(NewStep(versions, WithSecret, keys.ServerProof), cancellationToken).ConfigureAwait(false);
            return certificate is not null
                ? new Handshaken(agreement, stream)
                : new Handshaken(agreement, new SealedStream(stream, new RecordCipher(keys.FromServer), new RecordCipher(keys.FromClient)));
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
            RemoteText.OneLine(Encoding.UTF8.GetString(body)));
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
