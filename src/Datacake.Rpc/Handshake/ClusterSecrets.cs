using System.Text;

namespace Datacake.Rpc.Handshake;

/// <summary>The cluster secret, from its options to the key of the handshake's proofs.</summary>
static class ClusterSecrets
{
    const int MinLength = 16;

    /// <exception cref="ArgumentException">It is too short.</exception>
    public static void Check(string? secret)
    {
        if (secret is { Length: < MinLength })
        {
            throw new ArgumentException(
                $"The ClusterSecret has {secret.Length} characters; it needs at least {MinLength}. Take 32 random ones.", nameof(secret));
        }
    }

    public static ReadOnlyMemory<byte> ToKey(string? secret) => secret is null ? default : Encoding.UTF8.GetBytes(secret);
}
