using Datacake.Crdt;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using MessagePack;

namespace Datacake.EventualConsistency.Sequencing;

/// <summary>A condition of a serial transaction: a document is as the caller has read it.</summary>
/// <param name="Keyspace">The keyspace of the document.</param>
/// <param name="Key">The key of the document.</param>
/// <param name="Content">The <see cref="ContentHash"/> of the document; null if there was none.</param>
readonly record struct SerialCondition(string Keyspace, DocumentKey Key, UInt128? Content)
{
    public const int MaxConditions = 100_000;

    public void Write(ref MessagePackWriter writer)
    {
        writer.Write(Keyspace);
        writer.Write(Key.Encoded.Span);
        Record.WriteNumber(ref writer, Content);
    }

    public static SerialCondition Read(ref MessagePackReader reader)
    {
        string keyspace = Record.ReadText(ref reader);
        KeyspaceCatalog.CheckName(keyspace);
        return new SerialCondition(keyspace, new DocumentKey(Record.ReadBytes(ref reader)), Record.ReadNumber(ref reader));
    }
}
