using System.Text;

namespace Datacake.Node.Gossip;

/// <summary>
/// The limits of entries. Entries are sent in ascending order of their versions, so an entry that does not fit into any message would block
/// all later entries of its node. Therefore such an entry is refused when it is set.
/// </summary>
static class EntryLimits
{
    /// <exception cref="ArgumentException">The entry is too large, or is not valid text.</exception>
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
                $"The key '{key}' cannot be published. It or its value contains an unpaired surrogate, which is not valid text.",
                nameof(key),
                surrogate);
        }
        if (keyLength > WireFormat.MaxTextLength || valueLength > WireFormat.MaxTextLength || keyLength + valueLength > maxEntryLength)
            throw new ArgumentException(
                $"The key '{(key.Length > 64 ? key[..64] + "…" : key)}' cannot be published. "
                + $"It has {keyLength + valueLength} bytes of UTF-8 with its value, and the limit is {maxEntryLength}. "
                + "Put the data into the store, and publish only a reference to it.",
                nameof(value));
    }
}
