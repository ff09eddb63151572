using System.Diagnostics.CodeAnalysis;

namespace Datacake.Node.Gossip;

/// <summary>
/// The codec of gossip messages, in the format of chitchat 0.10, so that a node can gossip with the Rust library. Decoding never throws,
/// whatever the bytes are. Not thread-safe.
/// </summary>
sealed class GossipCodec : IDisposable
{
    readonly DeltaBlocks _blocks = new();

    public byte[] Encode(GossipMessage message)
    {
        var writer = new WireWriter();
        writer.UInt16(WireFormat.Magic);
        writer.Byte(WireFormat.Version);
        var isPartial = false;
        switch (message)
        {
            case GossipMessage.Syn syn:
                writer.Byte(WireFormat.Syn);
                Write(syn.Digest, writer);
                writer.Text(syn.ClusterId);
                isPartial = syn.Digest.IsPartial;
                break;
            case GossipMessage.SynAck synAck:
                writer.Byte(WireFormat.SynAck);
                Write(synAck.Digest, writer);
                Write(synAck.Delta, writer);
                isPartial = synAck.Digest.IsPartial;
                break;
            case GossipMessage.Ack ack:
                writer.Byte(WireFormat.Ack);
                Write(ack.Delta, writer);
                break;
            case GossipMessage.BadCluster:
                writer.Byte(WireFormat.BadCluster);
                break;
        }
        if (message.Sender is { } sender)
        {
            writer.Byte(WireFormat.TrailerMarker);
            Write(sender, isPartial, writer);
        }
        return writer.Written.ToArray();
    }

    static void Write(GossipSender sender, bool isPartial, WireWriter writer)
    {
        var flags = (isPartial ? WireFormat.TrailerPartialDigest : 0)
            | (sender.WallClock is null ? 0 : WireFormat.TrailerExtended)
            | (sender.HoldsReceiverRetired ? WireFormat.TrailerReceiverRetired : 0);
        writer.Byte((byte)flags);
        writer.Id(sender.Id);
        writer.Text(sender.ClusterId);
        writer.UInt64(sender.Stamp);
        if (sender.WallClock is not { } wallClock)
            return;
        writer.UInt64((ulong)wallClock);
        writer.UInt64(sender.Exchange);
        writer.UInt64(sender.Store);
    }

    /// <summary>
    /// Decodes a message. Returns false if the bytes are invalid; <paramref name="error"/> then has the reason, as a clause.
    /// </summary>
    public bool TryDecode(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out GossipMessage? message, [NotNullWhen(false)] out string? error)
    {
        var reader = new WireReader(bytes);
        message = Read(ref reader);
        error = reader.Error;
        if (error is null && message is not null)
            return true;
        message = null;
        error ??= "it is empty";
        return false;
    }

    GossipMessage? Read(ref WireReader reader)
    {
        if (reader.UInt16() != WireFormat.Magic)
            reader.Fail("it is not a gossip message");
        if (reader.Byte() is var version && version != WireFormat.Version)
            reader.Fail($"its format version is {version}, but only version {WireFormat.Version} is supported");
        var type = reader.Byte();
        if (reader.Error is not null)
            return null;
        GossipMessage? message = null;
        switch (type)
        {
            case WireFormat.Syn:
                message = new GossipMessage.Syn(ReadDigest(ref reader), reader.Text());
                break;
            case WireFormat.SynAck:
                message = new GossipMessage.SynAck(ReadDigest(ref reader), ReadDelta(ref reader));
                break;
            case WireFormat.Ack:
                message = new GossipMessage.Ack(ReadDelta(ref reader));
                break;
            case WireFormat.BadCluster:
                message = new GossipMessage.BadCluster();
                break;
            default:
                reader.Fail($"{type} is not a valid message type");
                break;
        }
        return reader.Error is null && message is not null ? WithTrailer(message, reader) : message;
    }

    // The reader is passed by value so that its errors are ignored: the format leaves open what follows the body of a message.
    static GossipMessage WithTrailer(GossipMessage message, WireReader reader)
    {
        if (reader.Byte() != WireFormat.TrailerMarker)
            return message;
        var flags = reader.Byte();
        var isPartial = (flags & WireFormat.TrailerPartialDigest) != 0;
        var isExtended = (flags & WireFormat.TrailerExtended) != 0;
        var sender = reader.Id() is { } id
            ? new GossipSender(
                id,
                reader.Text(),
                reader.UInt64(),
                isExtended ? (long)reader.UInt64() : null,
                isExtended ? reader.UInt64() : 0,
                isExtended ? reader.UInt64() : 0,
                (flags & WireFormat.TrailerReceiverRetired) != 0)
            : null;
        if (sender is null || reader.Error is not null)
            return message;
        message = message with { Sender = sender };
        return message switch
        {
            GossipMessage.Syn syn when isPartial => syn with { Digest = syn.Digest with { IsPartial = true } },
            GossipMessage.SynAck synAck when isPartial => synAck with { Digest = synAck.Digest with { IsPartial = true } },
            _ => message,
        };
    }

    static void Write(Digest digest, WireWriter writer)
    {
        writer.UInt16(digest.Entries.Count);
        foreach (var entry in digest.Entries)
        {
            writer.Id(entry.Id);
            writer.UInt64(entry.Heartbeat);
            writer.UInt64(entry.LastGcVersion);
            writer.UInt64(entry.MaxVersion);
        }
    }

    static Digest ReadDigest(ref WireReader reader)
    {
        var count = reader.UInt16();
        var entries = new List<DigestEntry>();
        for (var i = 0; i < count && reader.Error is null; i++)
            if (reader.Id() is { } id)
                entries.Add(new DigestEntry(id, reader.UInt64(), reader.UInt64(), reader.UInt64()));
        return new Digest(entries);
    }

    void Write(Delta delta, WireWriter writer)
    {
        var operations = new WireWriter();
        foreach (var section in delta.Nodes)
        {
            operations.Byte(WireFormat.NodeOperation);
            operations.Id(section.Id);
            operations.UInt64(section.LastGcVersion);
            operations.UInt64(section.FromVersionExcluded);
            foreach (var entry in section.Entries)
            {
                operations.Byte(WireFormat.EntryOperation);
                operations.Text(entry.Key);
                operations.Text(entry.Value);
                operations.UInt64(entry.Version);
                operations.Byte((byte)entry.Status);
            }
            if (section.ExplicitMaxVersion is { } maxVersion)
            {
                operations.Byte(WireFormat.MaxVersionOperation);
                operations.UInt64(maxVersion);
            }
        }
        _blocks.Write(operations.Written, writer);
    }

    Delta ReadDelta(ref WireReader reader)
    {
        if (_blocks.Read(ref reader, out var isCut) is not { } operations)
            return Delta.Empty;
        var content = new WireReader(operations.WrittenSpan);
        var sections = DeltaReader.Read(ref content, isCut);
        if (content.Error is { } error)
            reader.Fail(error);
        return new Delta(sections);
    }

    public void Dispose() => _blocks.Dispose();
}
