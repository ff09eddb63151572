using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using MessagePack;

namespace Datacake.EventualConsistency.Replication.Messages;

/// <summary>A transaction and the names of the documents that it touched.</summary>
readonly record struct TransactionNames(HlcTimestamp Stamp, IReadOnlyList<DocumentName> Documents);

/// <summary>A document with its name.</summary>
readonly record struct NamedDocument(DocumentName Name, Document Document);

/// <summary>A part of the difference that answers a pull, newest transactions first [R9].</summary>
/// <param name="Pull">The pull that this part answers.</param>
/// <param name="Stream">The answer that this part belongs to: a request that arrives twice is answered twice.</param>
/// <param name="Number">The position of the part in the answer, from 0.</param>
/// <param name="Source">The known set of the snapshot that the answer is read from.</param>
/// <param name="Runs">The newest runs of the nodes in <paramref name="Source"/>.</param>
/// <param name="Records">The transactions.</param>
/// <param name="Documents">The documents that the transactions name, in their current state, unless an earlier chunk has them.</param>
/// <param name="Claims">The stamps that the receiver may claim once it has all chunks up to this one.</param>
/// <param name="IsLast">True if this is the last part of the answer.</param>
sealed record Chunk(
    ulong Pull, ulong Stream, int Number, VersionVector Source, NodeRuns Runs, IReadOnlyList<TransactionNames> Records,
    IReadOnlyList<NamedDocument> Documents, VersionVector Claims, bool IsLast) : ReplicaMessage
{
    public override bool MayUseReserve => Documents.All(static document => !document.Document.IsAlive(document.Name.Policy));

    protected override MessageKind MessageKind => MessageKind.Chunk;

    protected override void Write(ref MessagePackWriter writer)
    {
        writer.Write(Pull);
        writer.Write(Stream);
        writer.Write(Number);
        Record.WriteVector(ref writer, Source);
        Runs.Write(ref writer);
        Parts.Write(ref writer, Records, Documents);
        Record.WriteVector(ref writer, Claims);
        writer.Write(IsLast);
    }

    public static Chunk Read(ref MessagePackReader reader)
    {
        ulong pull = reader.ReadUInt64(), stream = reader.ReadUInt64();
        int number = reader.ReadInt32();
        var source = Record.ReadVector(ref reader);
        var runs = NodeRuns.Read(ref reader);
        var (records, documents) = Parts.Read(ref reader);
        return new Chunk(pull, stream, number, source, runs, records, documents, Record.ReadVector(ref reader), reader.ReadBoolean());
    }
}

/// <summary>A part of a full snapshot, for a store that joins, reconciles or merges in full [R12, R13, R15].</summary>
/// <param name="Pull">The pull that this part answers.</param>
/// <param name="Stream">The answer that this part belongs to.</param>
/// <param name="Number">The position of the part in the answer, from 0.</param>
/// <param name="Cluster">The identity of the sender's cluster.</param>
/// <param name="State">The cut of the snapshot: its known, truncated and purged stamps.</param>
/// <param name="Count">The approximate number of documents in the snapshot.</param>
/// <param name="Part">The section of the snapshot that the page belongs to.</param>
/// <param name="Records">Transactions of the log.</param>
/// <param name="Documents">Documents, including dead ones.</param>
/// <param name="IsLast">True if this is the last page of the snapshot.</param>
sealed record SnapshotPage(
    ulong Pull, ulong Stream, int Number, ulong Cluster, ReplicaState State, long Count, SnapshotPart Part, IReadOnlyList<TransactionNames> Records,
    IReadOnlyList<NamedDocument> Documents, bool IsLast)
    : ReplicaMessage
{
    public override bool MayUseReserve => false;

    protected override MessageKind MessageKind => MessageKind.SnapshotPage;

    protected override void Write(ref MessagePackWriter writer)
    {
        writer.Write(Pull);
        writer.Write(Stream);
        writer.Write(Number);
        writer.Write(Cluster);
        writer.Write(State.Encode());
        writer.Write(Count);
        writer.Write((byte)Part);
        Parts.Write(ref writer, Records, Documents);
        writer.Write(IsLast);
    }

    public static SnapshotPage Read(ref MessagePackReader reader)
    {
        ulong pull = reader.ReadUInt64(), stream = reader.ReadUInt64();
        int number = reader.ReadInt32();
        ulong cluster = reader.ReadUInt64();
        var state = ReplicaState.Decode(Record.ReadBytes(ref reader));
        long count = reader.ReadInt64();
        var part = (SnapshotPart)Record.ReadChoice(ref reader, (byte)SnapshotPart.Rest, "part of a snapshot");
        var (records, documents) = Parts.Read(ref reader);
        return new SnapshotPage(pull, stream, number, cluster, state, count, part, records, documents, reader.ReadBoolean());
    }
}

/// <summary>The section of a snapshot that a page belongs to.</summary>
enum SnapshotPart : byte
{
    /// <summary>A whole snapshot, in the document order that all nodes share.</summary>
    Whole,

    /// <summary>The documents that changed among those sent before an earlier snapshot broke off [R16].</summary>
    Changed,

    /// <summary>The documents after the point where an earlier snapshot broke off, in the order that all nodes share [R16].</summary>
    Rest,
}

/// <summary>The encoding of the transactions and documents of a chunk or page.</summary>
static class Parts
{
    public static void Write(ref MessagePackWriter writer, IReadOnlyList<TransactionNames> records, IReadOnlyList<NamedDocument> documents)
    {
        writer.WriteArrayHeader(records.Count);
        foreach (var (stamp, names) in records)
        {
            Record.WriteStamp(ref writer, stamp);
            writer.WriteArrayHeader(names.Count);
            foreach (var name in names)
                name.Write(ref writer);
        }
        writer.WriteArrayHeader(documents.Count);
        foreach (var (name, document) in documents)
        {
            name.Write(ref writer);
            writer.Write(document.Encoded.Span);
        }
    }

    public static (IReadOnlyList<TransactionNames> Records, IReadOnlyList<NamedDocument> Documents) Read(ref MessagePackReader reader)
    {
        // Keys and documents are copied into shared blocks: separate arrays and keyspace names took half of the decoding time.
        var memory = new BatchMemory(reader.Sequence.Length - reader.Consumed);
        var keyspaces = default(KeyspaceNames);
        var records = Record.BeginArray<TransactionNames>(ref reader, out int recordCount);
        for (int i = 0; i < recordCount; i++)
        {
            var stamp = Record.ReadStamp(ref reader);
            var names = Record.BeginArray<DocumentName>(ref reader, out int nameCount);
            for (int j = 0; j < nameCount; j++)
                Record.RoomFor(ref names, j, nameCount) = ReadName(ref reader, ref keyspaces, memory);
            Record.RoomFor(ref records, i, recordCount) = new TransactionNames(stamp, names);
        }
        var documents = Record.BeginArray<NamedDocument>(ref reader, out int documentCount);
        for (int i = 0; i < documentCount; i++)
        {
            var name = ReadName(ref reader, ref keyspaces, memory);
            Record.RoomFor(ref documents, i, documentCount) = new NamedDocument(name, Document.Parse(memory.Copy(Record.ReadView(ref reader).Span)));
        }
        return (records, documents);
    }

    static DocumentName ReadName(ref MessagePackReader reader, ref KeyspaceNames keyspaces, BatchMemory memory)
    {
        var name = DocumentName.Read(ref reader, ref keyspaces);
        return name with { Key = memory.Copy(name.Key.Span) };
    }
}
