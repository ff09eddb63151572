using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// The progress of the seed with which a store joins [R12, R16]. It is stored with each page that is taken, so that the copy continues
/// where it broke off.
/// </summary>
/// <remarks>See PROTOCOL.md: base of a seed, cut, seed.</remarks>
/// <param name="Base">The known set that every received document reflects.</param>
/// <param name="Cut">The known set that some of them may reflect, and everything that was truncated and purged at their sources.</param>
/// <param name="Last">
/// The last document that was received, in the order that all nodes share. All documents before it have been received. Null before the
/// first one.
/// </param>
/// <param name="Sources">The stores that the seed was copied from.</param>
/// <param name="Ancestors">The sources and their ancestors.</param>
/// <param name="MustPurge">
/// True if documents that were received early may have to be purged, because a later source has truncated more.
/// </param>
/// <param name="Documents">The number of documents that were received.</param>
sealed record Seed(
    VersionVector Base, ReplicaState Cut, DocumentName? Last, IReadOnlyList<ulong> Sources, IReadOnlyList<ulong> Ancestors, bool MustPurge, long Documents)
{
    /// <summary>Gets the position from which to continue, or <see langword="null"/> if there is nothing to continue.</summary>
    public SeedPosition? Position => Last is { } last ? new SeedPosition(Base, Cut.Known, last) : null;

    public static Seed Begin(ReplicaState state) => new(state.Known, state, null, [], [], MustPurge: false, Documents: 0);

    /// <summary>Returns this seed with a further source.</summary>
    /// <param name="storeId">The store id of the source.</param>
    /// <param name="ancestors">The stores that the first data of the source came from.</param>
    public Seed From(ulong storeId, IReadOnlyList<ulong> ancestors) => this with
    {
        Sources = [.. Sources.Union([storeId])],
        Ancestors = [.. Ancestors.Union([storeId, .. ancestors])],
    };

    /// <summary>Returns this seed at the cut of the next snapshot, with everything that was truncated and purged at that cut.</summary>
    public Seed ContinueAt(ReplicaState state)
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
