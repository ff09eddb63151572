using System.Security.Cryptography;

namespace Datacake.Node;

/// <summary>A reader of operators' public keys.</summary>
static class OperatorKey
{
    /// <summary>Returns a key as <c>SubjectPublicKeyInfo</c>.</summary>
    /// <exception cref="ArgumentException">The text is not a public ECDSA key.</exception>
    public static ReadOnlyMemory<byte> Read(string publicKey)
    {
        ArgumentNullException.ThrowIfNull(publicKey);
        if (IsPrivate(publicKey))
            throw new ArgumentException(
                "The operator key is a private key. Use the public key (BEGIN PUBLIC KEY), and keep the private key away from all nodes.");
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
                $"'{start}' is not a public ECDSA key. Use the text of a PEM file (BEGIN PUBLIC KEY) with its line breaks, or the Base64 text "
                + "between its first and last line, but not the name of the file.",
                e);
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
