using System.Diagnostics.CodeAnalysis;

namespace Datacake.Node.Gossip;

/// <summary>The other nodes, as they are kept across a restart of this process.</summary>
/// <param name="ClusterId">The cluster that they are of.</param>
/// <param name="States">What they have published.</param>
/// <param name="DownSince">When those of them that were down had fallen silent, by the wall clock.</param>
/// <param name="Generation">The generation of the life that has kept this; a later life takes a greater one, whatever its clock says.</param>
/// <param name="Store">The id of the node's own store; 0 if it has published none.</param>
/// <param name="RetiredStores">Store ids that were retired from the cluster.</param>
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

    /// <summary>Reads what was kept, or says in <paramref name="error"/> what is wrong with the bytes, as the end of a sentence.</summary>
    public static bool TryDecode(
        ReadOnlySpan<byte> bytes, GossipCodec codec, [NotNullWhen(true)] out RememberedNodes? nodes, [NotNullWhen(false)] out string? error)
    {
        nodes = null;
        var reader = new WireReader(bytes);
        if (reader.Byte() is var format && format != Format)
            reader.Fail($"its format version is {format}, and only {Format} is known here");
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
            error = "it holds no states of nodes";
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
