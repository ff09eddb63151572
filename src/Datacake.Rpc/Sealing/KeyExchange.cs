using System.Security.Cryptography;

namespace Datacake.Rpc.Sealing;

/// <summary>
/// This side's half of a Diffie-Hellman key exchange (ECDH over P-256) for one connection. An attacker who learns the cluster secret later
/// cannot decrypt recorded traffic, and an attacker who only listens has nothing to verify guesses of the secret with.
/// </summary>
sealed class KeyExchange : IDisposable
{
    const int CoordinateSize = 32;

    readonly ECDiffieHellman _own = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);

    /// <summary>The size of a public key in bytes: both coordinates of the point.</summary>
    public const int KeySize = 2 * CoordinateSize;

    public KeyExchange()
    {
        var point = _own.ExportParameters(includePrivateParameters: false).Q;
        PublicKey = [.. point.X!, .. point.Y!];
    }

    public byte[] PublicKey { get; }

    /// <summary>Computes the secret that only the two sides of the exchange share.</summary>
    /// <exception cref="RpcException">The other side's key is invalid.</exception>
    public byte[] Agree(ReadOnlySpan<byte> otherKey)
    {
        try
        {
            var point = new ECPoint { X = otherKey[..CoordinateSize].ToArray(), Y = otherKey[CoordinateSize..].ToArray() };
            using var other = ECDiffieHellman.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = point });
            using var key = other.PublicKey;
            return _own.DeriveRawSecretAgreement(key);
        }
        catch (CryptographicException error)
        {
            throw new RpcException(RpcStatus.Unauthenticated, "the public key of the other side is invalid.", error);
        }
    }

    public void Dispose() => _own.Dispose();
}
