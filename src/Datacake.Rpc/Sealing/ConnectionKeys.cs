using System.Security.Cryptography;

namespace Datacake.Rpc.Sealing;

/// <summary>
/// What follows for one connection from a cluster secret: both sides' proofs, and the keys of both directions. All are derived (HKDF-SHA256) from the
/// secret, the result of the key exchange and the transcript, so that they hold for this connection alone, and for exactly the greetings that both have seen.
/// </summary>
sealed class ConnectionKeys
{
    const int Size = 32;

    readonly byte[] _root;

    /// <param name="secret">The stretched secret.</param>
    /// <param name="exchanged">The result of the key exchange.</param>
    /// <param name="transcript">Both greetings as they were sent, and the certificate of the server where there is TLS.</param>
    public ConnectionKeys(ReadOnlySpan<byte> secret, ReadOnlySpan<byte> exchanged, ReadOnlySpan<byte> transcript)
    {
        byte[] material = [.. secret, .. exchanged];
        _root = HKDF.Extract(HashAlgorithmName.SHA256, material, SHA256.HashData(transcript));
        CryptographicOperations.ZeroMemory(material);
    }

    public byte[] ClientProof => Derive("datacake rpc 3 client proof"u8);

    public byte[] ServerProof => Derive("datacake rpc 3 server proof"u8);

    /// <summary>The key of what the client sends.</summary>
    public byte[] FromClient => Derive("datacake rpc 3 from client"u8);

    /// <summary>The key of what the server sends.</summary>
    public byte[] FromServer => Derive("datacake rpc 3 from server"u8);

    byte[] Derive(ReadOnlySpan<byte> purpose)
    {
        var key = new byte[Size];
        HKDF.Expand(HashAlgorithmName.SHA256, _root, key, purpose);
        return key;
    }
}
