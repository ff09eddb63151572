using System.Buffers;
using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using MessagePack;

namespace Datacake.EventualConsistency.Replication.Messages;

/// <summary>A transaction in the form in which it is sent to every peer [R7].</summary>
/// <param name="Previous">The sender's transaction before this one, or its run. The claim is (previous, stamp].</param>
/// <param name="Stamp">The transaction's stamp.</param>
/// <param name="Deltas">The changes of the transaction.</param>
sealed record Mutation(HlcTimestamp Previous, HlcTimestamp Stamp, DocumentDelta[] Deltas);

/// <summary>Live mutations: transactions of the sender, in ascending order of their stamps.</summary>
/// <remarks>See PROTOCOL.md: mutation.</remarks>
sealed record Mutations(IReadOnlyList<Mutation> Items) : ReplicaMessage
{
    public override bool MayUseReserve => Items.All(static mutation => Array.TrueForAll(mutation.Deltas, static delta => delta.IsDelete));

    protected override MessageKind MessageKind => MessageKind.Mutations;

    protected override void Write(ref MessagePackWriter writer)
    {
        writer.WriteArrayHeader(Items.Count);
        foreach (var mutation in Items)
        {
            Record.WriteStamp(ref writer, mutation.Previous);
            Record.WriteStamp(ref writer, mutation.Stamp);
            writer.WriteArrayHeader(mutation.Deltas.Length);
            foreach (var delta in mutation.Deltas)
            {
                delta.Name.Write(ref writer);
                Record.WriteStamp(ref writer, delta.Base);
                writer.Write(delta.Document.Encoded.Span);
            }
        }
    }

    public static Mutations Read(ref MessagePackReader reader)
    {
        // One copy of the message, and views of it: the content of a put is stored as it is, without being parsed into parts.
        ReadOnlyMemory<byte> copy = reader.Sequence.Slice(reader.Position).ToArray();
        var own = new MessagePackReader(copy);
        var names = default(KeyspaceNames);
        var items = Record.BeginArray<Mutation>(ref own, out int itemCount);
        for (int i = 0; i < itemCount; i++)
        {
            var previous = Record.ReadStamp(ref own);
            var stamp = Record.ReadStamp(ref own);
            if (i > 0 && stamp <= items[i - 1].Stamp)
                throw new InvalidDataException($"The transaction {stamp} follows {items[i - 1].Stamp}, but stamps must ascend.");
            var deltas = Record.BeginArray<DocumentDelta>(ref own, out int deltaCount);
            for (int j = 0; j < deltaCount; j++)
            {
                var name = DocumentName.Read(ref own, ref names);
                Record.RoomFor(ref deltas, j, deltaCount) = new DocumentDelta(name, Record.ReadStamp(ref own), Document.Parse(Record.ReadView(ref own)));
            }
            Record.RoomFor(ref items, i, itemCount) = new Mutation(previous, stamp, deltas);
        }
        return new Mutations(items);
    }
}
