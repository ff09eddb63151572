using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// The public keys of the operators who may retire stores. A proof is a signature (ECDSA with SHA-256) of the random identity of the
/// cluster and the store id, so that it is valid for nothing else.
/// </summary>
/// <remarks>See PROTOCOL.md: proof.</remarks>
/// <param name="keys">The public keys, as <c>SubjectPublicKeyInfo</c>.</param>
sealed class OperatorKeys(IReadOnlyList<ReadOnlyMemory<byte>> keys) : IRetirementAuthority
{
    const DSASignatureFormat Format = DSASignatureFormat.IeeeP1363FixedFieldConcatenation;

    public bool Proves(ulong cluster, ulong storeId, ReadOnlyMemory<byte> proof)
    {
        byte[] order = OrderOf(cluster, storeId);
        foreach (var publicKey in keys)
        {
            using var key = ECDsa.Create();
            key.ImportSubjectPublicKeyInfo(publicKey.Span, out _);
            if (key.VerifyData(order, proof.Span, HashAlgorithmName.SHA256, Format))
                return true;
        }
        return false;
    }

    /// <summary>Creates the proof that a store is retired.</summary>
    /// <exception cref="ArgumentException">The key has no private part.</exception>
    public static byte[] Sign(ECDsa privateKey, ulong cluster, ulong storeId)
    {
        try
        {
            return privateKey.SignData(OrderOf(cluster, storeId), HashAlgorithmName.SHA256, Format);
        }
        catch (CryptographicException e)
        {
            throw new ArgumentException($"The operator's key cannot sign: {e.Message} Use the private key, not the public key.", nameof(privateKey), e);
        }
    }

    static byte[] OrderOf(ulong cluster, ulong storeId)
    {
        var purpose = "Datacake: retire a store, version 1"u8;
        byte[] order = new byte[purpose.Length + (2 * sizeof(ulong))];
        purpose.CopyTo(order);
        BinaryPrimitives.WriteUInt64BigEndian(order.AsSpan(purpose.Length), cluster);
        BinaryPrimitives.WriteUInt64BigEndian(order.AsSpan(purpose.Length + sizeof(ulong)), storeId);
        return order;
    }
}
