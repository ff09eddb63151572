using System.Text;

namespace Datacake.Node.Gossip;

/// <summary>
/// What can be published. Entries travel in ascending version, so that one which fits into no message would keep all later ones of its node
/// from ever being sent: it is refused when it is set.
/// </summary>
static class EntryLimits
{
    /// <exception cref="ArgumentException">The entry is too large, or not text.</exception>
    public static void Check(string key, string value, int maxEntryLength)
    {
        int keyLength, valueLength;
        try
        {
            keyLength = GossipId.StrictUtf8.GetByteCount(key);
            valueLength = GossipId.StrictUtf8.GetByteCount(value);
        }
        catch (EncoderFallbackException surrogate)
        {
            throw new ArgumentException(
                $"The key '{key}' cannot be published: it or its value holds half a surrogate pair, which is not text.",
                nameof(key),
                surrogate);
        }
        if (keyLength > WireFormat.MaxTextLength || valueLength > WireFormat.MaxTextLength || keyLength + valueLength > maxEntryLength)
            throw new ArgumentException(
                $"The key '{(key.Length > 64 ? key[..64] + "…" : key)}' cannot be published: "
                + $"with its value it takes {keyLength + valueLength} bytes of UTF-8, and {maxEntryLength} fit. "
                + "Gossip carries small facts; put the data into the store and publish where it is.",
                nameof(value));
    }
}
