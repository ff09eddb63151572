using Datacake.Crdt;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;

namespace Datacake.EventualConsistency.Reading;

/// <summary>Asks a replica for documents as it has them, dead ones too.</summary>
readonly record struct ReadRequest(string Keyspace, IReadOnlyList<DocumentKey> Keys)
{
    public const int MaxKeys = 1_000;

    public byte[] Encode() => Record.Encode(this, static (ref writer, request) =>
    {
        writer.Write(request.Keyspace);
        writer.WriteArrayHeader(request.Keys.Count);
        foreach (var key in request.Keys)
            writer.Write(key.Encoded.Span);
    });

    /// <exception cref="InvalidDataException">The bytes are no request.</exception>
    public static ReadRequest Decode(ReadOnlyMemory<byte> encoded) => Record.Decode(encoded, "a read", static (ref reader) =>
    {
        string keyspace = Record.ReadText(ref reader);
        KeyspaceCatalog.CheckName(keyspace);
        var keys = new DocumentKey[Record.ReadCount(ref reader)];
        if (keys.Length > MaxKeys)
            throw new InvalidDataException($"The read asks for {keys.Length} documents; at most {MaxKeys} are possible.");
        for (int i = 0; i < keys.Length; i++)
            keys[i] = new DocumentKey(Record.ReadBytes(ref reader));
        return new ReadRequest(keyspace, keys);
    });
}

/// <summary>A replica's documents in the order of the request; <see cref="Document.Nothing"/> where it has none.</summary>
readonly record struct ReadReply(byte Node, IReadOnlyList<Document> Documents)
{
    public byte[] Encode() => Record.Encode(this, static (ref writer, reply) =>
    {
        writer.Write(reply.Node);
        writer.WriteArrayHeader(reply.Documents.Count);
        foreach (var document in reply.Documents)
            writer.Write(ReferenceEquals(document, Document.Nothing) ? [] : document.Encoded.Span);
    });

    /// <exception cref="InvalidDataException">The bytes are not the reply of this node to a request for so many documents.</exception>
    public static ReadReply Decode(ReadOnlyMemory<byte> encoded, byte node, int count)
    {
        var reply = Record.Decode(encoded, "the reply to a read", static (ref reader) =>
        {
            byte from = reader.ReadByte();
            var documents = new Document[Record.ReadCount(ref reader)];
            for (int i = 0; i < documents.Length; i++)
                documents[i] = Record.ReadBytes(ref reader) is { IsEmpty: false } bytes ? Document.Parse(bytes) : Document.Nothing;
            return new ReadReply(from, documents);
        });
        return reply.Node == node && reply.Documents.Count == count
            ? reply
            : throw new InvalidDataException(
                $"The reply of node {node} to a read of {count} documents has {reply.Documents.Count}, and is of node {reply.Node}.");
    }
}
