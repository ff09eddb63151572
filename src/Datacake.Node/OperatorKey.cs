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
        if (IsPrivate(publicKey))
            throw new ArgumentException("This is a private key of an operator. Nodes have the public key only (BEGIN PUBLIC KEY); keep the private one where no node is.");
        try
        {
            using var key = ECDsa.Create();
            if (IsPem(publicKey))
                key.ImportFromPem(publicKey);
            else
                key.ImportSubjectPublicKeyInfo(Convert.FromBase64String(publicKey), out _);
            return key.ExportSubjectPublicKeyInfo();
        }
        catch (Exception e) when (e is CryptographicException or FormatException or ArgumentException)
        {
            string start = publicKey.Length > 20 ? publicKey[..20] + "…" : publicKey;
            throw new ArgumentException(
                $"'{start}' is no public ECDSA key. Give the text of a PEM file (BEGIN PUBLIC KEY) with its line breaks, or the Base64 text between its first line and its last; not the name of a file.", e);
        }
    }

    static bool IsPem(string text) => text.Contains("-----", StringComparison.Ordinal);

    static bool IsPrivate(string text)
    {
        if (IsPem(text))
            return text.Contains("PRIVATE KEY", StringComparison.Ordinal);
        byte[] encoded = new byte[text.Length];
        if (!Convert.TryFromBase64String(text, encoded, out int length))
            return false;
        using var key = ECDsa.Create();
        return Imports(() => key.ImportPkcs8PrivateKey(encoded.AsSpan(0, length), out _)) || Imports(() => key.ImportECPrivateKey(encoded.AsSpan(0, length), out _));

        static bool Imports(Action import)
        {
            try
            {
                import();
                return true;
            }
            catch (CryptographicException)
            {
                return false;
            }
        }
    }
}
