using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;

namespace Datacake.EventualConsistency.Sequencing;

/// <summary>The state of the sequence in a store, apart from the entries that wait. Immutable.</summary>
/// <param name="Epoch">The epoch: the number of the election that the store has last heard of [S2].</param>
/// <param name="Vote">The store that got the vote of this one in the epoch, or 0.</param>
/// <param name="Limit">The greatest limit of stamps that a sequencer has asked for [S5].</param>
/// <param name="Base">The index up to which the store below has the effects of all entries [S6].</param>
/// <param name="BaseEpoch">The epoch of the entry at the base.</param>
/// <param name="BaseVoters">The voters at the base; none if the store has heard of no sequence yet.</param>
/// <param name="Token">The stamps that a replica must know to have the effects of all entries up to the base.</param>
sealed record SequenceState(
    ulong Epoch, ulong Vote, HlcTimestamp Limit, ulong Base, ulong BaseEpoch, IReadOnlyList<Voter> BaseVoters, VersionVector Token)
{
    /// <summary>The limit of the voters.</summary>
    public const int MaxVoters = 255;

    const int Version = 1;

    /// <summary>Gets the founding of the sequence [S9].</summary>
    public Founding Founding { get; init; }

    /// <summary>Gets the life of these records: 0 for the first one of the store, and a greater number each time that the store has forgotten them [S9].</summary>
    public ulong Life { get; init; }

    /// <summary>True if the store was the only voter when it forgot its votes, so that it may have to found the sequence anew.</summary>
    public bool MayFound { get; init; }

    public static SequenceState None { get; } = new(0, 0, HlcTimestamp.None, 0, 0, [], VersionVector.Empty);

    public byte[] Encode() => Record.Encode(this, static (ref writer, state) =>
    {
        writer.Write(Version);
        writer.Write(state.Epoch);
        writer.Write(state.Vote);
        Record.WriteStamp(ref writer, state.Limit);
        writer.Write(state.Base);
        writer.Write(state.BaseEpoch);
        Voter.WriteAll(ref writer, state.BaseVoters);
        Record.WriteVector(ref writer, state.Token);
        state.Founding.Write(ref writer);
        writer.Write(state.Life);
        writer.Write(state.MayFound);
    });

    public static SequenceState Decode(ReadOnlyMemory<byte> encoded) => Record.Decode(encoded, "the state of the sequence", static (ref reader) =>
        reader.ReadInt32() is var version && version == Version
            ? new SequenceState(
                reader.ReadUInt64(), reader.ReadUInt64(), Record.ReadStamp(ref reader), reader.ReadUInt64(), reader.ReadUInt64(),
                Voter.ReadAll(ref reader), Record.ReadVector(ref reader))
            {
                Founding = Founding.Read(ref reader),
                Life = reader.ReadUInt64(),
                MayFound = reader.ReadBoolean(),
            }
            : throw new InvalidDataException($"The state of the sequence has version {version}, and this version of the library reads version {Version}. Update the library."));
}
