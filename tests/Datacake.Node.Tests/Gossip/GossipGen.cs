using System.Net;
using CsCheck;
using Datacake.Node.Gossip;

namespace Datacake.Node.Tests;

/// <summary>Generates well-formed gossip messages.</summary>
static class GossipGen
{
    static readonly Gen<string> Text = Gen.Frequency(
        (8, Gen.String[Gen.Char.AlphaNumeric, 0, 12]),
        (1, Gen.Const("äöü€🍰漢字")),
        (1, Gen.String[Gen.Char.AlphaNumeric, 500, 30_000]));

    static readonly Gen<IPEndPoint> Address = Gen.Frequency(
        (3, Gen.Byte.Array[4]),
        (1, Gen.Byte.Array[16])).Select(Gen.UShort, (bytes, port) => new IPEndPoint(new IPAddress(bytes), port));

    static readonly Gen<GossipId> Id = Gen.Select(
        Gen.String[Gen.Char.AlphaNumeric, 0, 8], Gen.ULong, Address,
        (name, generation, address) => new GossipId(name, generation, address));

    static readonly Gen<GossipSender> SenderWithoutWallClock = Gen.Select(
        Id, Gen.String[Gen.Char.AlphaNumeric, 0, 8], Gen.ULong, Gen.Bool,
        (id, cluster, stamp, isRetired) => new GossipSender(id, cluster, stamp, HoldsReceiverRetired: isRetired));

    static readonly Gen<GossipSender?> Sender = Gen.Frequency(
        (1, Gen.Const((GossipSender?)null)),
        (1, SenderWithoutWallClock.Select(GossipSender? (sender) => sender)),
        (2, Gen.Select(
            SenderWithoutWallClock, Gen.Long, Gen.ULong, Gen.ULong,
            GossipSender? (sender, wall, exchange, store) => sender with { WallClock = wall, Exchange = exchange, Store = store })));

    static readonly Gen<Digest> Digest = Gen.Select(
        Id, Gen.ULong, Gen.ULong, Gen.ULong, (id, heartbeat, gc, max) => new DigestEntry(id, heartbeat, gc, max))
        .List[0, 12].Select(Gen.Bool, (entries, isPartial) => new Digest(entries, isPartial));

    static readonly Gen<DeltaEntry> Entry = Gen.Select(Text, Text, Gen.ULong[1, ulong.MaxValue], Gen.Enum<EntryStatus>(),
        (key, value, version, status) => new DeltaEntry(key, value, version, status));

    static readonly Gen<NodeDelta> Section = Gen.Select(
        Id, Gen.ULong, Gen.ULong, Entry.List[0, 6], Gen.Bool, (id, gc, from, entries, isExplicit) =>
    {
        var ascending = entries.DistinctBy(entry => entry.Version).OrderBy(entry => entry.Version).ToList();
        return new NodeDelta(id, gc, from, ascending, isExplicit ? ascending.LastOrDefault().Version : null);
    });

    static readonly Gen<Delta> Delta = Section.List[0, 5].Select(sections => new Delta([.. sections.DistinctBy(section => section.Id)]));

    public static readonly Gen<RememberedNodes> Remembered = Gen.Select(
        Gen.String[Gen.Char.AlphaNumeric, 0, 8], Delta, Id.List[0, 5], Gen.Long[0, 4_000_000_000_000], Gen.ULong.List[0, 5],
        (cluster, states, down, since, stores) => new RememberedNodes(
            cluster,
            states,
            down.Distinct().ToDictionary(id => id, _ => DateTimeOffset.FromUnixTimeMilliseconds(since)),
            (ulong)since,
            stores.FirstOrDefault(),
            stores.ToHashSet()));

    public static readonly Gen<GossipMessage> Message = Gen.OneOf(
        Gen.Select(
            Digest, Text, Sender, GossipMessage (digest, cluster, sender) => new GossipMessage.Syn(Whole(digest, sender), cluster, sender)),
        Gen.Select(
            Digest, Delta, Sender, GossipMessage (digest, delta, sender) => new GossipMessage.SynAck(Whole(digest, sender), delta, sender)),
        Gen.Select(Delta, Sender, GossipMessage (delta, sender) => new GossipMessage.Ack(delta, sender)),
        Sender.Select(GossipMessage (sender) => new GossipMessage.BadCluster(sender)));

    // The trailer says that a digest is partial.
    static Digest Whole(Digest digest, GossipSender? sender) => sender is null ? digest with { IsPartial = false } : digest;
}
