using System.Diagnostics.CodeAnalysis;

namespace Datacake.Node.Gossip;

/// <summary>The record of the other nodes that is kept across a restart of this process.</summary>
/// <param name="ClusterId">The cluster of the nodes.</param>
/// <param name="States">The states that the nodes have published.</param>
/// <param name="DownSince">The times, by the wall clock, at which nodes that were down were found dead.</param>
/// <param name="Generation">
/// The generation of the life that wrote the record. A later life uses a greater generation, even if the clock was set back.
/// </param>
/// <param name="Store">The id of this node's own store; 0 if the node has published none.</param>
/// <param name="RetiredStores">The ids of the stores that were retired from the cluster.</param>
sealed record RememberedNodes(
    string ClusterId,
    Delta States,
    IReadOnlyDictionary<GossipId, DateTimeOffset> DownSince,
    ulong Generation,
    ulong Store,
    IReadOnlySet<ulong> RetiredStores)
{
    const byte Format = 2;

    const int MaxRetiredStores = ushort.MaxValue;

    public byte[] Encode(GossipCodec codec)
    {
        var writer = new WireWriter();
        writer.Byte(Format);
        writer.Text(ClusterId);
        writer.UInt64(Generation);
        writer.UInt64(Store);
        var retired = RetiredStores.Order().Take(MaxRetiredStores).ToArray();
        writer.UInt16(retired.Length);
        foreach (var store in retired)
            writer.UInt64(store);
        writer.UInt16(DownSince.Count);
        foreach (var (id, since) in DownSince)
        {
            writer.Id(id);
            writer.UInt64((ulong)Math.Max(0, since.ToUnixTimeMilliseconds()));
        }
        writer.Bytes(codec.Encode(new GossipMessage.Ack(States)));
        return writer.Written.ToArray();
    }

    /// <summary>
    /// Decodes a record. Returns false if the bytes are invalid; <paramref name="error"/> then has the reason, as a clause.
    /// </summary>
    public static bool TryDecode(
        ReadOnlySpan<byte> bytes, GossipCodec codec, [NotNullWhen(true)] out RememberedNodes? nodes, [NotNullWhen(false)] out string? error)
    {
        nodes = null;
        var reader = new WireReader(bytes);
        if (reader.Byte() is var format && format != Format)
            reader.Fail($"its format version is {format}, but only version {Format} is supported");
        var clusterId = reader.Text();
        var generation = reader.UInt64();
        var store = reader.UInt64();
        var retired = new HashSet<ulong>();
        for (var count = reader.UInt16(); count > 0 && reader.Error is null; count--)
            retired.Add(reader.UInt64());
        var downSince = new Dictionary<GossipId, DateTimeOffset>();
        for (var count = reader.UInt16(); count > 0 && reader.Error is null; count--)
            if (reader.Id() is { } id)
                downSince[id] = TimeOf(reader.UInt64());
        error = reader.Error;
        if (error is not null || !codec.TryDecode(reader.Rest, out var message, out error))
            return false;
        if (message is not GossipMessage.Ack { Delta: var states })
        {
            error = "it does not contain the states of nodes";
            return false;
        }
        nodes = new RememberedNodes(clusterId, states, downSince, generation, store, retired);
        return true;
    }

    static DateTimeOffset TimeOf(ulong unixMilliseconds)
    {
        var latest = (ulong)DateTimeOffset.MaxValue.ToUnixTimeMilliseconds();
        return DateTimeOffset.FromUnixTimeMilliseconds((long)Math.Min(unixMilliseconds, latest));
    }
}
