using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Datacake.Rpc.Framing;
using Datacake.Rpc.Logging;
using Datacake.Rpc.Sealing;

namespace Datacake.Rpc.Handshake;

/// <summary>
/// The protocol of both sides before the first frame. Each step consists of <c>DCRP</c>, the sender's version of the protocol (1 byte), a
/// code (1), the body length (2, little-endian) and the body. This format is the same in all versions, so that any two versions can tell
/// each other why they refuse a connection. Both sides begin with a <see cref="Greeting"/>. If the server has a cluster secret, the client
/// then proves that it knows the secret, and the server proves it in return.
/// </summary>
/// <remarks>
/// <para>The proofs are derived from the secret, a key exchange and both greetings as they were sent, each with a new random number
/// (<see cref="ConnectionKeys"/>). The secret itself is therefore never transmitted, a recorded proof is worthless, neither side can be
/// made to compute the proof of the other, and nobody in between can change the versions, capabilities and limits in the greetings.</para>
/// <para>An attacker who relays the proofs between two nodes gains nothing. Without TLS, all further traffic is sealed with keys that the
/// attacker does not have (<see cref="SealedStream"/>). With TLS, the proofs cover the certificate of the server, and the attacker can only
/// present a different one.</para>
/// </remarks>
static class HandshakeProtocol
{
    const int HeaderSize = 8;
    const int MaxBodySize = 1024;
    const byte TlsAlert = 0x15;     // Types of TLS records.
    const byte TlsHello = 0x16;
    const byte Plain = 0;           // The code of a step without a secret.
    const byte WithSecret = 0x80;   // The code of a step with a secret: the proofs follow.

    // Each guess of the secret occupies one of the unfinished handshakes of its host (HandshakesPerHost) for this time. A stranger can
    // therefore make only few guesses and cause little work, and nodes that know the secret are not delayed.
    static readonly TimeSpan WrongProofDelay = TimeSpan.FromMilliseconds(500);

    /// <summary>The maximum size of a step, in bytes.</summary>
    public const int MaxStepSize = HeaderSize + MaxBodySize;

    static ReadOnlySpan<byte> Magic => "DCRP"u8;

    /// <summary>Performs the handshake on the calling side.</summary>
    /// <param name="stream">The connection.</param>
    /// <param name="limits">The limits of this side.</param>
    /// <param name="versions">The versions that this side supports.</param>
    /// <param name="secrets">The secrets of this side, of which it proves the first one.</param>
    /// <param name="certificate">The hash of the certificate that the server presented; null without TLS.</param>
    /// <param name="cancellationToken">A token that cancels the handshake.</param>
    /// <exception cref="RpcException">One side refused the other, or the peer does not speak this protocol.</exception>
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
            // A server that refuses all connections may have closed before it received this greeting. Its refusal can still be read.
        }

        var theirs = await ReceiveAsync(stream, "server", cancellationToken).ConfigureAwait(false);
        theirs.ThrowIfRefused();
        var agreement = Greeting.Agree("server", theirs.Version, theirs.Body, versions);
        if (exchange is null)
        {
            return theirs.Code == Plain
                ? new Handshaken(agreement, stream)
                : throw SecretMissing("the server requires a cluster secret, but this side has none.");
        }

        if (theirs.Code != WithSecret)
            throw SecretMissing("this side has a cluster secret, but the server has none.");

        byte[] transcript = [.. mine, .. theirs.Bytes, .. certificate ?? []];
        var keys = secrets.KeysOfClient(exchange.Agree(Greeting.KeyOf(theirs.Body)), transcript);
        await stream.WriteAsync(NewStep(versions, WithSecret, keys.ClientProof), cancellationToken).ConfigureAwait(false);
        var answer = await ReceiveAsync(stream, "server", cancellationToken).ConfigureAwait(false);
        answer.ThrowIfRefused();
        if (!CryptographicOperations.FixedTimeEquals(answer.Body, keys.ServerProof))
            throw new RpcException(RpcStatus.Unauthenticated, "the server does not know the cluster secret.");
        return certificate is not null
            ? new Handshaken(agreement, stream)
            : new Handshaken(agreement, new SealedStream(stream, new RecordCipher(keys.FromClient), new RecordCipher(keys.FromServer)));
    }

    /// <summary>
    /// Performs the handshake on the answering side. A refused client is told the reason.
    /// </summary>
    /// <param name="stream">The connection.</param>
    /// <param name="limits">The limits of this side.</param>
    /// <param name="versions">The versions that this side supports.</param>
    /// <param name="secrets">The secrets, of which the client must prove one.</param>
    /// <param name="certificate">The hash of the certificate that this side presented; null without TLS.</param>
    /// <param name="refusal">If not null, the reason to refuse the client regardless of its greeting.</param>
    /// <param name="timeProvider">The clock for the delay after a wrong proof.</param>
    /// <param name="cancellationToken">A token that cancels the handshake.</param>
    /// <exception cref="RpcException">One side refused the other, or the peer does not speak this protocol.</exception>
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
                throw SecretMissing("this server requires a cluster secret, but the client has none.");
            if (secrets.IsEmpty && theirs.Code == WithSecret)
                throw SecretMissing("the client requires a cluster secret, but this server has none.");
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
                // The delay is only a part of the handshake time, so that the client still receives the reason.
                await Task.Delay(TimeSpan.FromTicks(Math.Min(WrongProofDelay.Ticks, limits.HandshakeTime.Ticks / 4)), timeProvider, cancellationToken).ConfigureAwait(false);
                throw new RpcException(RpcStatus.Unauthenticated, "the client's cluster secret differs from the server's. Correct the side whose ClusterSecret differs from that of the other nodes.");
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
                // The client has left without waiting for the reason.
            }

            throw;
        }
    }

    /// <summary>Tells the other side why it is refused.</summary>
    public static ValueTask RefuseAsync(Stream stream, RpcException reason, CancellationToken cancellationToken)
    {
        var text = Encoding.UTF8.GetBytes(reason.Message);
        var body = text.AsSpan(0, Math.Min(text.Length, MaxBodySize));
        return stream.WriteAsync(NewStep(ProtocolVersions.Current, (byte)reason.Status, body), cancellationToken);
    }

    /// <summary>Tells a server why this side refuses it, and waits for the server to read the reason and close the connection.</summary>
    public static async ValueTask RefuseServerAsync(Stream stream, RpcException reason, CancellationToken cancellationToken)
    {
        try
        {
            await RefuseAsync(stream, reason, cancellationToken).ConfigureAwait(false);
            _ = await stream.ReadAsync(new byte[MaxStepSize], cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (error is IOException or OperationCanceledException)
        {
            // The server has left, or does not close in time. The reason for the refusal is the same.
        }
    }

    /// <summary>Returns whether the first bytes of the other side belong to this protocol.</summary>
    public static bool IsGreeting(ReadOnlySpan<byte> firstBytes) => firstBytes.StartsWith(Magic);

    /// <summary>
    /// Returns the exception for a server that answered with this protocol in place of TLS, such as the refusal that it sent. Returns null
    /// if the bytes do not belong to this protocol.
    /// </summary>
    public static RpcException? ReadRefusal(byte[] firstBytes)
    {
        if (!IsGreeting(firstBytes))
            return null;
        var isWhole = firstBytes.Length > HeaderSize
            && firstBytes.Length - HeaderSize == BinaryPrimitives.ReadUInt16LittleEndian(firstBytes.AsSpan(6));
        return isWhole && firstBytes[5] is not (Plain or WithSecret)
            ? Refusal(firstBytes[5], firstBytes.AsSpan(HeaderSize))
            : new RpcException(RpcStatus.Unauthenticated, "the server does not use TLS. Set Tls in its options.");
    }

    static RpcException SecretMissing(string reason) =>
        new(RpcStatus.Unauthenticated, $"{reason} Set the same ClusterSecret on all nodes.");

    // The text is written to logs and comes from an untrusted peer.
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

    static async ValueTask<Step> ReceiveAsync(Stream stream, string peer, CancellationToken cancellationToken)
    {
        var header = new byte[HeaderSize];
        await stream.ReadExactlyAsync(header, cancellationToken).ConfigureAwait(false);
        if (header[0] is TlsAlert or TlsHello)
        {
            await SkipTlsRecordAsync(stream, header, cancellationToken).ConfigureAwait(false);
            throw new RpcException(
                RpcStatus.Unauthenticated, $"the {peer} uses TLS, but this side does not. Set Tls in the options of both sides or of neither.");
        }

        if (!IsGreeting(header))
            throw new RpcException(RpcStatus.InvalidPayload, $"the {peer} does not speak the Datacake RPC protocol.");
        var length = BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(6));
        if (length > MaxBodySize)
            throw new RpcException(RpcStatus.InvalidPayload, $"the {peer}'s greeting has {length} bytes, but the limit is {MaxBodySize}.");
        var body = new byte[length];
        await stream.ReadExactlyAsync(body, cancellationToken).ConfigureAwait(false);
        return new Step(header, body);
    }

    // Closing a connection with unread bytes resets it, and the other side may then never receive the reason. A record begins with its type
    // (1 byte), version (2) and length (2, big-endian). A hello arrives in one piece.
    static async ValueTask SkipTlsRecordAsync(Stream stream, byte[] header, CancellationToken cancellationToken)
    {
        const int RecordHeaderSize = 5;
        var rest = RecordHeaderSize + BinaryPrimitives.ReadUInt16BigEndian(header.AsSpan(3)) - header.Length;
        if (rest > 0)
            _ = await stream.ReadAsync(new byte[rest], cancellationToken).ConfigureAwait(false);
    }

    /// <summary>A step of the other side, as received.</summary>
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
