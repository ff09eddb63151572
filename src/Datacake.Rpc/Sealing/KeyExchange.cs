using System.Security.Cryptography;

namespace Datacake.Rpc.Sealing;

/// <summary>
/// This side's half of a Diffie-Hellman exchange (ECDH over P-256) for one connection: whoever learns the cluster secret later cannot read what was recorded
/// before, and whoever only listens has nothing to try guesses of the secret on.
/// </summary>
sealed class KeyExchange : IDisposable
{
    const int CoordinateSize = 32;

    readonly ECDiffieHellman _own = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);

    /// <summary>The bytes of a public key: both coordinates of the point.</summary>
    public const int KeySize = 2 * CoordinateSize;

    public KeyExchange()
    {
        var point = _own.ExportParameters(includePrivateParameters: false).Q;
        PublicKey = [.. point.X!, .. point.Y!];
    }

    public byte[] PublicKey { get; }

    /// <summary>Computes what both sides of the exchange share, and nobody else.</summary>
    /// <exception cref="RpcException">The other side's key is none.</exception>
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
            throw new RpcException(RpcStatus.Unauthenticated, "the key of the other side is not a point of the curve", error);
        }
    }

    public void Dispose() => _own.Dispose();
}
