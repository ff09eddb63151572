using Datacake.Crdt;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using MessagePack;

namespace Datacake.EventualConsistency.Replication.Messages;

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

    protected override MessageKind MessageKind => MessageKind.ReadReply;

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
