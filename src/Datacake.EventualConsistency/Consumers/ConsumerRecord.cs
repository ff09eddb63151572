using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Sequencing;

namespace Datacake.EventualConsistency.Consumers;

/// <summary>The document of a durable consumer: its position in the changes of the store, and the fencing token of the node that runs it.</summary>
sealed class ConsumerRecord
{
    /// <summary>The reserved keyspace of the documents.</summary>
    public const string Keyspace = "datacake.consumers";

    const string What = "a consumer's position";

    public ConsumerRecord(long token, VersionVector position, ReadOnlyMemory<byte>? loadedUpTo)
        : this(token, position, loadedUpTo, hash: null)
    {
    }

    ConsumerRecord(long token, VersionVector position, ReadOnlyMemory<byte>? loadedUpTo, UInt128? hash)
    {
        (Token, Position, LoadedUpTo) = (token, position, loadedUpTo);
        Content = DocumentContent.OfRaw(Record.Encode(this, static (ref writer, record) =>
        {
            writer.WriteArrayHeader(3);
            writer.Write(record.Token);
            Record.WriteVector(ref writer, record.Position);
            if (record.LoadedUpTo is { } key)
                writer.Write(key.Span);
            else
                writer.WriteNil();
        }));
        Hash = hash ?? ContentHash.Of(Content);
    }

    /// <summary>Gets the fencing token of the last node that has run the consumer.</summary>
    public long Token { get; }

    /// <summary>Gets the transactions that the consumer has processed. While it loads, those that it need not process afterwards.</summary>
    public VersionVector Position { get; }

    /// <summary>Gets the key of the last document that the consumer has loaded, which is empty at first; null if the load is complete.</summary>
    public ReadOnlyMemory<byte>? LoadedUpTo { get; }

    /// <summary>Gets the content of the document.</summary>
    public DocumentContent Content { get; }

    /// <summary>Gets the hash of the content, for conditions.</summary>
    public UInt128 Hash { get; }

    /// <summary>Returns the record that a document contains, or null if there is no document.</summary>
    /// <exception cref="InvalidDataException">The document is not a consumer's position.</exception>
    public static ConsumerRecord? Of(Document? document)
    {
        if (document is null)
            return null;
        if (document.Value is not { } value)
            throw new InvalidDataException($"The bytes of {What} are damaged: the document has no value.");
        // The condition is on the document as it is stored, which a later version may have written with more than is read here.
        var hash = ContentHash.Of(document);
        return Record.DecodeBeginning(value, What, (ref reader) =>
        {
            int count = reader.ReadArrayHeader();
            if (count < 3)
                throw new InvalidDataException($"The bytes of {What} are damaged: they have {count} fields instead of 3.");
            return new ConsumerRecord(reader.ReadInt64(), Record.ReadVector(ref reader), reader.TryReadNil() ? default(ReadOnlyMemory<byte>?) : Record.ReadBytes(ref reader), hash);
        });
    }
}
