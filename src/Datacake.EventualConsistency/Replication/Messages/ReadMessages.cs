using Datacake.Crdt;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using MessagePack;

namespace Datacake.EventualConsistency.Replication.Messages;

/// <summary>A request for documents as a replica has them, tombstones included.</summary>
/// <param name="Id">The number of the read among those of the sender in this session.</param>
/// <param name="Keyspace">The keyspace.</param>
/// <param name="Keys">The keys of the documents.</param>
sealed record ReadRequest(ulong Id, string Keyspace, IReadOnlyList<DocumentKey> Keys) : ReplicaMessage
{
    /// <summary>The maximum number of documents in one read.</summary>
    public const int MaxKeys = 1_000;

    protected override void Write(ref MessagePackWriter writer)
    {
        writer.Write(Id);
        writer.Write(Keyspace);
        writer.WriteArrayHeader(Keys.Count);
        foreach (var key in Keys)
            writer.Write(key.Encoded.Span);
    }

    public static ReadRequest Read(ref MessagePackReader reader)
    {
        ulong id = reader.ReadUInt64();
        string keyspace = Record.ReadText(ref reader);
        KeyspaceCatalog.CheckName(keyspace);
        var keys = new DocumentKey[Record.ReadCount(ref reader, MaxKeys, "documents that a read asks for")];
        var distinct = new HashSet<DocumentKey>();
        for (int i = 0; i < keys.Length; i++)
        {
            keys[i] = new DocumentKey(Record.ReadBytes(ref reader));
            if (!distinct.Add(keys[i]))
                throw new InvalidDataException("A read asks for the same document twice.");
        }
        return new ReadRequest(id, keyspace, keys);
    }
}

/// <summary>A replica's answer to a read.</summary>
/// <param name="Id">The number of the read.</param>
/// <param name="Failure">The reason why there are no documents, as a clause without a full stop, or <see langword="null"/>.</param>
/// <param name="Documents">
/// The documents in the order of the request, with <see cref="Document.Nothing"/> where the replica has none.
/// </param>
sealed record ReadReply(ulong Id, string? Failure, IReadOnlyList<Document> Documents) : ReplicaMessage
{
    /// <summary>The limit of the total length of the documents in one reply, in bytes. A single document may exceed it.</summary>
    public const long MaxLength = 64 * 1024 * 1024;

    /// <summary>The limit of the total length, in bytes, of the documents in a reply that is made at the same time as others.</summary>
    public const long MaxSmallLength = 1024 * 1024;

    protected override void Write(ref MessagePackWriter writer)
    {
        writer.Write(Id);
        writer.Write(Failure);
        writer.WriteArrayHeader(Documents.Count);
        foreach (var document in Documents)
            writer.Write(ReferenceEquals(document, Document.Nothing) ? [] : document.Encoded.Span);
    }

    public static ReadReply Read(ref MessagePackReader reader)
    {
        ulong id = reader.ReadUInt64();
        string? failure = reader.TryReadNil() ? null : Record.ReadSentence(ref reader);
        var documents = new Document[Record.ReadCount(ref reader, ReadRequest.MaxKeys, "documents of a read")];
        for (int i = 0; i < documents.Length; i++)
            documents[i] = Record.ReadBytes(ref reader) is { IsEmpty: false } bytes ? Document.Parse(bytes) : Document.Nothing;
        return new ReadReply(id, failure, documents);
    }
}

/// <summary>A hint to a replica that it lacks something that another node has, so that it fetches it at once.</summary>
/// <param name="Source">The node that has it.</param>
sealed record RepairHint(byte Source) : ReplicaMessage
{
    protected override void Write(ref MessagePackWriter writer) => writer.Write(Source);

    public static RepairHint Read(ref MessagePackReader reader) => new(reader.ReadByte());
}
