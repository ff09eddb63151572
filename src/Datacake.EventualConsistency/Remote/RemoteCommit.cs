using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Sequencing;
using MessagePack;

namespace Datacake.EventualConsistency.Remote;

/// <summary>A request to a member to commit a transaction for a store that is none.</summary>
/// <param name="Id">A random number that identifies the transaction, the same in each attempt.</param>
/// <param name="IsRepeated">True if an earlier attempt may have reached the member. The member then answers from its memory.</param>
/// <param name="Level">The level.</param>
/// <param name="MayReplaceBounded">True if puts may replace documents that have bounded counters.</param>
/// <param name="Proposal">The operations, and the documents as the caller has read them.</param>
/// <param name="Counters">The additions to counters of each operation.</param>
sealed record RemoteCommit(
    ulong Id, bool IsRepeated, Consistency Level, bool MayReplaceBounded, SerialProposal Proposal, IReadOnlyList<IReadOnlyList<CounterIncrement>> Counters)
{
    const int Version = 1;

    /// <summary>Creates the request for a transaction. Its requirements must be conditions already.</summary>
    /// <param name="id">A random number, by which the member recognizes the request when it is repeated.</param>
    /// <param name="transaction">The transaction.</param>
    /// <param name="level">The level.</param>
    /// <param name="policyOf">Returns the merge policy of a keyspace.</param>
    public static RemoteCommit Of(ulong id, SerialTransaction transaction, Consistency level, Func<string, MergePolicy> policyOf)
    {
        var effects = transaction.Effects;
        SerialOperation[] operations = [.. effects.Operations.Select(operation => new SerialOperation(policyOf(operation.Keyspace), operation))];
        return new RemoteCommit(
            id, false, level, effects.MayReplaceBounded, transaction.ToProposal(operations), [.. effects.Operations.Select(static operation => operation.Counters)]);
    }

    /// <summary>Returns the transaction, with its conditions.</summary>
    public SerialTransaction ToTransaction()
    {
        var effects = new Transaction { MayReplaceBounded = MayReplaceBounded };
        for (int i = 0; i < Proposal.Operations.Count; i++)
            effects.Add(Proposal.Operations[i].Operation with { Counters = Counters[i] });
        return new SerialTransaction(effects, Proposal.Conditions) { Ranges = Proposal.Ranges, UniqueIndexes = Proposal.UniqueIndexes, Numbers = Proposal.Numbers };
    }

    public byte[] Encode() => Record.Encode(this, static (ref writer, commit) =>
    {
        writer.Write(Version);
        writer.Write(commit.Id);
        writer.Write(commit.IsRepeated);
        writer.Write((byte)commit.Level);
        writer.Write(commit.MayReplaceBounded);
        commit.Proposal.Write(ref writer);
        foreach (var counters in commit.Counters)
        {
            writer.WriteArrayHeader(counters.Count);
            foreach (var counter in counters)
            {
                writer.Write(counter.Property);
                writer.Write(counter.Amount);
                WriteBound(ref writer, counter.Minimum);
                WriteBound(ref writer, counter.Maximum);
            }
        }
    });

    /// <exception cref="InvalidDataException">The bytes are not a request, or are that of a later version.</exception>
    public static RemoteCommit Decode(ReadOnlyMemory<byte> encoded) => Record.DecodeBeginning(encoded, "a transaction of a follower", static (ref reader) =>
    {
        int version = reader.ReadInt32();
        if (version != Version)
            throw new InvalidDataException($"The transaction has the format {version}, and this node reads format {Version}. Update the older node.");
        ulong id = reader.ReadUInt64();
        bool isRepeated = reader.ReadBoolean();
        var level = (Consistency)reader.ReadByte();
        bool mayReplace = reader.ReadBoolean();
        var proposal = SerialProposal.Read(ref reader);
        var counters = new IReadOnlyList<CounterIncrement>[proposal.Operations.Count];
        for (int i = 0; i < counters.Length; i++)
        {
            var increments = new CounterIncrement[Record.ReadCount(ref reader)];
            for (int k = 0; k < increments.Length; k++)
                increments[k] = new CounterIncrement(Record.ReadText(ref reader), reader.ReadInt64()) { Minimum = ReadBound(ref reader), Maximum = ReadBound(ref reader) };
            counters[i] = increments;
        }
        return new RemoteCommit(id, isRepeated, level, mayReplace, proposal, counters);
    });

    static void WriteBound(ref MessagePackWriter writer, long? bound)
    {
        if (bound is { } value)
            writer.Write(value);
        else
            writer.WriteNil();
    }

    static long? ReadBound(ref MessagePackReader reader) => reader.TryReadNil() ? null : reader.ReadInt64();
}
