using System.Security.Cryptography;
using System.Text;

namespace Datacake.Administration;

/// <summary>
/// The proof that a caller knows the operator secret, which itself is never sent: an HMAC over a number that the node chose for this one call, the
/// name of the message, and its payload. So a recorded call cannot be repeated, and none can be changed on its way.
/// </summary>
static class OperatorProof
{
    /// <summary>The length of the number that the node chooses, in bytes.</summary>
    public const int ChallengeLength = 32;

    const int Rounds = 200_000;

    /// <summary>Derives the key from a secret. The rounds make it expensive to guess a short secret from a recorded proof.</summary>
    public static byte[] DeriveKey(string secret) =>
        Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes(secret), "datacake operator"u8, Rounds, HashAlgorithmName.SHA256, HMACSHA256.HashSizeInBytes);

    /// <summary>Computes the proof for a call.</summary>
    public static byte[] Compute(byte[] key, ReadOnlySpan<byte> challenge, string message, ReadOnlySpan<byte> payload)
    {
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
        hmac.AppendData(challenge);
        hmac.AppendData(Encoding.UTF8.GetBytes($"{message}\n"));
        hmac.AppendData(payload);
        return hmac.GetHashAndReset();
    }

    /// <summary>Compares two proofs in a time that does not depend on where they differ.</summary>
    public static bool AreEqual(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b) => CryptographicOperations.FixedTimeEquals(a, b);
}
