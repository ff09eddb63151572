using System.Security.Cryptography;

namespace Datacake.Node;

/// <summary>Reads the public keys of operators.</summary>
static class OperatorKey
{
    /// <summary>Returns a key as <c>SubjectPublicKeyInfo</c>.</summary>
    /// <exception cref="ArgumentException">It is no public ECDSA key.</exception>
    public static ReadOnlyMemory<byte> Read(string publicKey)
    {
        ArgumentNullException.ThrowIfNull(publicKey);
        if (publicKey.Contains("PRIVATE KEY", StringComparison.Ordinal))
            throw new ArgumentException("This is a private key of an operator. Nodes have the public key only (BEGIN PUBLIC KEY); keep the private one where no node is.", nameof(publicKey));
        try
        {
            using var key = ECDsa.Create();
            if (publicKey.Contains("-----", StringComparison.Ordinal))
                key.ImportFromPem(publicKey);
            else
                key.ImportSubjectPublicKeyInfo(Convert.FromBase64String(publicKey), out _);
            return key.ExportSubjectPublicKeyInfo();
        }
        catch (Exception e) when (e is CryptographicException or FormatException or ArgumentException)
        {
            throw new ArgumentException(
                $"An operator key is no public ECDSA key: {e.Message} Give the text of a PEM file (BEGIN PUBLIC KEY), or the Base64 text between its first line and its last.", nameof(publicKey), e);
        }
    }
}
