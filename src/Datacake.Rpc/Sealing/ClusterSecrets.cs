using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;

namespace Datacake.Rpc.Sealing;

/// <summary>
/// The cluster secrets of one side. A client proves the first one. A server accepts any of them, and in return proves the one that the
/// client knows. The secrets are stretched (PBKDF2), so that each guess of a secret costs as much as stretching it once.
/// </summary>
sealed class ClusterSecrets
{
    const int MinLength = 16;
    const int MinDistinctCharacters = 6;
    const int Iterations = 200_000;
    const int KeySize = 32;
    const int MaxStretched = 64;

    static readonly ConcurrentDictionary<string, byte[]> Stretched = new(StringComparer.Ordinal);

    readonly byte[][] _keys;

    ClusterSecrets(byte[][] keys) => _keys = keys;

    public static ClusterSecrets None { get; } = new([]);

    public bool IsEmpty => _keys.Length == 0;

    /// <exception cref="ArgumentException">A secret is weak, or there are accepted secrets but no secret to prove.</exception>
    public static void Check(string? secret, IReadOnlyList<string> accepted)
    {
        if (secret is not null)
            CheckStrength(secret, "ClusterSecret");
        foreach (var other in accepted)
            CheckStrength(other, "secret among the AcceptedClusterSecrets");
        if (secret is null && accepted is not [])
        {
            throw new ArgumentException(
                "AcceptedClusterSecrets is set, but ClusterSecret is not. Set ClusterSecret to the secret that nodes use to connect.");
        }
    }

    /// <exception cref="ArgumentException">The secret is weak.</exception>
    public static void CheckStrength(string secret, string what)
    {
        if (secret.Length < MinLength)
        {
            throw new ArgumentException(
                $"The {what} has {secret.Length} characters; at least {MinLength} are required. Use 32 random characters.");
        }

        if (secret.Distinct().Count() < MinDistinctCharacters)
            throw new ArgumentException($"The {what} has fewer than {MinDistinctCharacters} different characters. Use 32 random characters.");
    }

    /// <param name="secret">The secret to prove, or null for no secrets at all.</param>
    /// <param name="accepted">Further secrets that this side accepts.</param>
    public static ClusterSecrets Of(string? secret, IReadOnlyList<string> accepted) =>
        secret is null ? None : new ClusterSecrets([Stretch(secret), .. accepted.Select(Stretch)]);

    /// <summary>Derives the keys of a connection that this side has opened.</summary>
    public ConnectionKeys KeysOfClient(ReadOnlySpan<byte> exchanged, ReadOnlySpan<byte> transcript) => new(_keys[0], exchanged, transcript);

    /// <summary>
    /// Finds the secret that the client has proved and derives the keys of the connection. Returns null if the proof is wrong.
    /// </summary>
    public ConnectionKeys? KeysOfServer(ReadOnlySpan<byte> proof, ReadOnlySpan<byte> exchanged, ReadOnlySpan<byte> transcript)
    {
        foreach (var key in _keys)
        {
            var keys = new ConnectionKeys(key, exchanged, transcript);
            if (CryptographicOperations.FixedTimeEquals(proof, keys.ClientProof))
                return keys;
        }

        return null;
    }

    /// <summary>Derives the key for the datagrams of one life of this node (see <see cref="DatagramSeal"/>).</summary>
    public DatagramKey KeyOfDatagrams(UInt128 life) => DatagramKey.Derive(_keys[0], life, [])!;

    /// <summary>
    /// Derives the key for the datagrams of one life of another node. Returns null if its commitment does not match any of the secrets.
    /// </summary>
    public DatagramKey? FindKeyOfDatagrams(UInt128 life, ReadOnlySpan<byte> commitment)
    {
        foreach (var secret in _keys)
        {
            if (DatagramKey.Derive(secret, life, commitment) is { } key)
                return key;
        }

        return null;
    }

    static byte[] Stretch(string secret)
    {
        if (Stretched.TryGetValue(secret, out var known))
            return known;
        if (Stretched.Count >= MaxStretched)
            Stretched.Clear();
        return Stretched[secret] = Rfc2898DeriveBytes.Pbkdf2(
            Encoding.UTF8.GetBytes(secret), "datacake cluster secret"u8, Iterations, HashAlgorithmName.SHA256, KeySize);
    }
}
