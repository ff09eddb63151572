using System.Security.Cryptography;
using System.Text;

namespace Datacake.Rpc.Handshake;

/// <summary>
/// The cluster secrets of one side, as keys of the handshake's proofs. A client proves the first one; a server accepts any of them, and
/// proves in return the one that the client knows.
/// </summary>
sealed class ClusterSecrets
{
    const int MinLength = 16;

    readonly byte[][] _keys;

    ClusterSecrets(byte[][] keys) => _keys = keys;

    public static ClusterSecrets None { get; } = new([]);

    public bool IsEmpty => _keys.Length == 0;

    /// <exception cref="ArgumentException">One is too short, or there are accepted ones without one to prove.</exception>
    public static ClusterSecrets Of(string? secret, IReadOnlyList<string>? accepted = null)
    {
        Check(secret, "ClusterSecret");
        foreach (var other in accepted ?? [])
            Check(other, "secret among the AcceptedClusterSecrets");
        if (secret is not null)
            return new ClusterSecrets([.. from known in (string[])[secret, .. accepted ?? []] select Encoding.UTF8.GetBytes(known)]);
        return accepted is null or [] ? None : throw new ArgumentException(
            "AcceptedClusterSecrets are set, and ClusterSecret is not. Set ClusterSecret to the one that nodes use to connect.");
    }

    /// <summary>The client's proof.</summary>
    public byte[] ProveAsClient(ReadOnlySpan<byte> greetings) => Prove(_keys[0], "datacake rpc client"u8, greetings);

    /// <summary>True if the server has proved that it knows the secret of this client.</summary>
    public bool IsProofOfServer(ReadOnlySpan<byte> proof, ReadOnlySpan<byte> greetings) =>
        CryptographicOperations.FixedTimeEquals(proof, ProveAsServer(_keys[0], greetings));

    /// <summary>Checks the client's proof, and returns the server's, or null if the client has proved none of the secrets.</summary>
    public byte[]? Answer(ReadOnlySpan<byte> proof, ReadOnlySpan<byte> greetings)
    {
        foreach (var key in _keys)
        {
            if (CryptographicOperations.FixedTimeEquals(proof, Prove(key, "datacake rpc client"u8, greetings)))
                return ProveAsServer(key, greetings);
        }

        return null;
    }

    static byte[] ProveAsServer(byte[] key, ReadOnlySpan<byte> greetings) => Prove(key, "datacake rpc server"u8, greetings);

    static byte[] Prove(byte[] key, ReadOnlySpan<byte> role, ReadOnlySpan<byte> greetings)
    {
        byte[] message = [.. role, .. greetings];
        return HMACSHA256.HashData(key, message);
    }

    static void Check(string? secret, string what)
    {
        if (secret is { Length: < MinLength })
            throw new ArgumentException($"The {what} has {secret.Length} characters; it needs at least {MinLength}. Take 32 random ones.");
    }
}
