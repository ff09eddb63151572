using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// How far the copy of the cluster's data is with which a store joins [R12, R16]. It is stored with each page that is taken, so that the copy goes on
/// where it broke off.
/// </summary>
/// <param name="Base">What every document that has come reflects.</param>
/// <param name="Cut">What some of them may reflect, and what was truncated and purged where they came from.</param>
/// <param name="Last">The last document that has come, in the order that all nodes share; all before it have. Null before the first one.</param>
/// <param name="Sources">The stores that it comes from.</param>
/// <param name="Ancestors">These, and the stores that theirs came from.</param>
/// <param name="MustPurge">Whether documents that came early may have to be purged, since a later source has truncated more.</param>
/// <param name="Documents">How many documents have come.</param>
sealed record Seed(
    VersionVector Base, ReplicaState Cut, DocumentName? Last, IReadOnlyList<ulong> Sources, IReadOnlyList<ulong> Ancestors, bool MustPurge, long Documents)
{
    /// <summary>Where to go on, or <see langword="null"/> if there is nothing to go on with.</summary>
    public SeedPosition? Position => Last is { } last ? new SeedPosition(Base, Cut.Known, last) : null;

    public static Seed Begin(ReplicaState state) => new(state.Known, state, null, [], [], MustPurge: false, Documents: 0);

    /// <summary>The same, with a store that some of it comes from.</summary>
    public Seed From(Session source) => this with
    {
        Sources = [.. Sources.Union([source.StoreId])],
        Ancestors = [.. Ancestors.Union([source.StoreId, .. source.Ancestors])],
    };

    /// <summary>The same, with what the next source has truncated and purged.</summary>
    public Seed GoOnAt(ReplicaState state)
    {
        var truncated = Cut.Truncated.Union(state.Truncated);
        return this with
        {
            Cut = new ReplicaState(state.Known, truncated, HlcTimestamp.Max(Cut.Purged, state.Purged), Cut.Runs.Union(state.Runs)),
            MustPurge = MustPurge || !truncated.Equals(Cut.Truncated),
        };
    }

    public byte[] Encode() => Record.Encode(this, static (ref writer, seed) =>
    {
        Record.WriteVector(ref writer, seed.Base);
        writer.Write(seed.Cut.Encode());
        writer.Write(seed.Last is not null);
        seed.Last?.Write(ref writer);
        Record.WriteNumbers(ref writer, seed.Sources);
        Record.WriteNumbers(ref writer, seed.Ancestors);
        writer.Write(seed.MustPurge);
        writer.Write(seed.Documents);
    });

    public static Seed Decode(ReadOnlyMemory<byte> encoded) => Record.Decode(encoded, "the progress of joining", static (ref reader) =>
    {
        var known = Record.ReadVector(ref reader);
        var cut = ReplicaState.Decode(Record.ReadBytes(ref reader));
        DocumentName? last = reader.ReadBoolean() ? DocumentName.Read(ref reader) : null;
        return new Seed(known, cut, last, Record.ReadNumbers(ref reader), Record.ReadNumbers(ref reader), reader.ReadBoolean(), reader.ReadInt64());
    });
}
