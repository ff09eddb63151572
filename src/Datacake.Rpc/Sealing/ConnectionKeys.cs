using System.Security.Cryptography;

namespace Datacake.Rpc.Sealing;

/// <summary>
/// The proofs of both sides and the keys of both directions of one connection. All are derived (HKDF-SHA256) from the cluster secret, the
/// result of the key exchange and the transcript, so that they are valid only for this connection and only if both sides have seen the same
/// greetings.
/// </summary>
sealed class ConnectionKeys
{
    const int Size = 32;

    readonly byte[] _root;

    /// <param name="secret">The stretched secret.</param>
    /// <param name="exchanged">The result of the key exchange.</param>
    /// <param name="transcript">Both greetings as they were sent and, with TLS, the hash of the server's certificate.</param>
    public ConnectionKeys(ReadOnlySpan<byte> secret, ReadOnlySpan<byte> exchanged, ReadOnlySpan<byte> transcript)
    {
        byte[] material = [.. secret, .. exchanged];
        _root = HKDF.Extract(HashAlgorithmName.SHA256, material, SHA256.HashData(transcript));
        CryptographicOperations.ZeroMemory(material);
    }

    public byte[] ClientProof => Derive("datacake rpc 3 client proof"u8);

    public byte[] ServerProof => Derive("datacake rpc 3 server proof"u8);

    /// <summary>Gets the key of the direction from the client to the server.</summary>
    public byte[] FromClient => Derive("datacake rpc 3 from client"u8);

    /// <summary>Gets the key of the direction from the server to the client.</summary>
    public byte[] FromServer => Derive("datacake rpc 3 from server"u8);

    byte[] Derive(ReadOnlySpan<byte> purpose)
    {
        var key = new byte[Size];
        HKDF.Expand(HashAlgorithmName.SHA256, _root, key, purpose);
        return key;
    }
}
