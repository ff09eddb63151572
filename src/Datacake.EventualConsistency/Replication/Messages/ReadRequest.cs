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

    protected override MessageKind MessageKind => MessageKind.ReadRequest;

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
