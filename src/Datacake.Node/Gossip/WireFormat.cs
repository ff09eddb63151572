namespace Datacake.Node.Gossip;

/// <summary>The constants of the wire format of gossip: those of chitchat 0.10, and those of the trailer that Datacake nodes add.</summary>
static class WireFormat
{
    public const int Magic = 0xB053;
    public const byte Version = 0;
    public const int HeaderLength = 4;

    public const byte Syn = 0;
    public const byte SynAck = 1;
    public const byte Ack = 2;
    public const byte BadCluster = 3;

    public const byte IPv4 = 4;
    public const byte IPv6 = 6;

    public const byte NodeOperation = 0;
    public const byte EntryOperation = 1;
    public const byte MaxVersionOperation = 2;

    public const byte EndOfBlocks = 0;
    public const byte ZstdBlock = 1;
    public const byte StoredBlock = 2;
    public const int BlockLength = 16_384;
    public const int BlockHeaderLength = 3;
    public const int MaxInflatedBlockLength = 65_535;

    /// <summary>
    /// The maximum inflated length of a delta in bytes. The rest of a longer delta is left for the next exchange. A limit is needed because
    /// a few kilobytes of zstd can inflate to gigabytes. Longer deltas are not refused because the Rust library limits only the compressed
    /// length.
    /// </summary>
    public const int MaxInflatedDeltaLength = 8 * 1024 * 1024;

    /// <summary>The maximum length of a text in bytes of UTF-8.</summary>
    public const int MaxTextLength = ushort.MaxValue;

    public const byte TrailerMarker = 0xDC;
    public const byte TrailerPartialDigest = 1;

    /// <summary>The flag of a trailer that also contains the wall clock, the number of the exchange and the store.</summary>
    public const byte TrailerExtended = 2;

    public const byte TrailerReceiverRetired = 4;

    public static int EncodedLength(NodeDelta section) => 1 + section.Id.EncodedLength + 16;

    public static int EncodedLength(DeltaEntry entry) => EntryLength(entry.Key, entry.Value);

    public static int EntryLength(string key, string value)
        => 14 + GossipId.StrictUtf8.GetByteCount(key) + GossipId.StrictUtf8.GetByteCount(value);

    public const int MaxVersionLength = 9;

    /// <summary>
    /// Returns the maximum encoded length of a delta with a given length of operations: all blocks uncompressed, and the end mark.
    /// </summary>
    public static int DeltaLengthAtMost(int operations)
        => operations + BlockHeaderLength * ((operations + BlockLength - 1) / BlockLength) + 1;

    public static int EncodedLength(GossipSender? sender)
        => sender is null
            ? 0
            : 2 + sender.Id.EncodedLength + 2 + GossipId.StrictUtf8.GetByteCount(sender.ClusterId) + 8 + (sender.WallClock is null ? 0 : 24);
}
