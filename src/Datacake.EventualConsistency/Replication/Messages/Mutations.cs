using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using MessagePack;

namespace Datacake.EventualConsistency.Replication.Messages;

/// <summary>A transaction as it goes to every peer [R7].</summary>
/// <param name="Previous">The sender's transaction before this one, or its run: the claim is (previous, stamp].</param>
/// <param name="Stamp">The transaction's stamp.</param>
/// <param name="Deltas">What it does.</param>
sealed record Mutation(HlcTimestamp Previous, HlcTimestamp Stamp, IReadOnlyList<Delta> Deltas);

/// <summary>Transactions of the sender, in the order of their stamps.</summary>
sealed record Mutations(IReadOnlyList<Mutation> Items) : ReplicaMessage
{
    protected override void Write(ref MessagePackWriter writer)
    {
        writer.WriteArrayHeader(Items.Count);
        foreach (var mutation in Items)
        {
            Record.WriteStamp(ref writer, mutation.Previous);
            Record.WriteStamp(ref writer, mutation.Stamp);
            writer.WriteArrayHeader(mutation.Deltas.Count);
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
        var items = new Mutation[Record.ReadCount(ref reader)];
        for (int i = 0; i < items.Length; i++)
        {
            var previous = Record.ReadStamp(ref reader);
            var stamp = Record.ReadStamp(ref reader);
            var deltas = new Delta[Record.ReadCount(ref reader)];
            for (int j = 0; j < deltas.Length; j++)
                deltas[j] = new Delta(DocumentName.Read(ref reader), Record.ReadStamp(ref reader), Document.Parse(Record.ReadBytes(ref reader)));
            items[i] = new Mutation(previous, stamp, deltas);
        }
        return new Mutations(items);
    }
}
