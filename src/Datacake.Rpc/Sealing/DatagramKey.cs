using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Datacake.Rpc.Sealing;

/// <summary>The key for the datagrams of one life of a node, and the commitment to this key that each datagram contains.</summary>
sealed class DatagramKey : IDisposable
{
    public const int CommitmentSize = 16;

    const int KeySize = 32;

    readonly byte[] _commitment;

    DatagramKey(ReadOnlySpan<byte> key, byte[] commitment) => (Cipher, _commitment) = (new AesGcm(key, AesGcm.TagByteSizes.MaxSize), commitment);

    public AesGcm Cipher { get; }

    public ReadOnlySpan<byte> Commitment => _commitment;

    /// <summary>
    /// Derives the key of a life from a stretched secret. Returns null if a commitment is given and differs from that of the derived key.
    /// </summary>
    public static DatagramKey? Derive(byte[] secret, UInt128 life, ReadOnlySpan<byte> commitment)
    {
        Span<byte> salt = stackalloc byte[16], derived = stackalloc byte[KeySize + CommitmentSize];
        BinaryPrimitives.WriteUInt128LittleEndian(salt, life);
        HKDF.DeriveKey(HashAlgorithmName.SHA256, secret, derived, salt, "datacake datagrams 1"u8);
        return commitment.IsEmpty || CryptographicOperations.FixedTimeEquals(commitment, derived[KeySize..])
            ? new DatagramKey(derived[..KeySize], derived[KeySize..].ToArray())
            : null;
    }

    public bool IsCommittedTo(ReadOnlySpan<byte> commitment) => CryptographicOperations.FixedTimeEquals(commitment, _commitment);

    public void Dispose() => Cipher.Dispose();
}
