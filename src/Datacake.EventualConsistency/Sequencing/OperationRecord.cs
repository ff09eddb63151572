using Datacake.Crdt;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Transactions;
using MessagePack;

namespace Datacake.EventualConsistency.Sequencing;

/// <summary>The encoding of operations on documents, in entries and requests.</summary>
static class OperationRecord
{
    /// <summary>The maximum number of operations that a caller may ask for. An entry has others besides, such as the numbers that were assigned last.</summary>
    public const int MaxAsked = 100_000;

    const int MaxOperations = 2 * MaxAsked;

    // An update that puts the whole document again; the others are the kinds of operations.
    const byte Renewal = (byte)DocumentOperationKind.Delete + 1;

    public static void WriteAll(ref MessagePackWriter writer, IReadOnlyList<SerialOperation> operations)
    {
        writer.WriteArrayHeader(operations.Count);
        foreach (var (policy, operation) in operations)
        {
            writer.Write((byte)policy);
            writer.Write(operation.IsRenewal ? Renewal : (byte)operation.Kind);
            writer.Write(operation.Keyspace);
            writer.Write(operation.Key.Encoded.Span);
            writer.Write(operation.Kind == DocumentOperationKind.Delete ? default : Document.Put(SerialOperation.NoStampYet, operation.Content, operation.Expires).Encoded.Span);
        }
    }

    public static SerialOperation[] ReadAll(ref MessagePackReader reader)
    {
        var operations = new SerialOperation[Record.ReadCount(ref reader, MaxOperations, "operations")];
        for (int i = 0; i < operations.Length; i++)
        {
            var policy = KeyspaceRecord.ReadPolicy(ref reader);
            byte choice = Record.ReadChoice(ref reader, Renewal, "kind of operation");
            var kind = choice == Renewal ? DocumentOperationKind.Update : (DocumentOperationKind)choice;
            string keyspace = Record.ReadText(ref reader);
            KeyspaceCatalog.CheckName(keyspace);
            var key = new DocumentKey(Record.ReadBytes(ref reader));
            var content = Record.ReadBytes(ref reader);
            operations[i] = new SerialOperation(policy, kind == DocumentOperationKind.Delete
                ? new DocumentOperation(kind, keyspace, key, DocumentContent.Empty, [])
                : OperationOf(kind, keyspace, key, Document.Parse(content)) with { IsRenewal = choice == Renewal });
            if (policy == MergePolicy.Serial && !operations[i].Operation.Expires.IsNone)
                throw new InvalidDataException($"A document of the serial keyspace '{keyspace}' cannot expire.");
        }
        return operations;
    }

    static DocumentOperation OperationOf(DocumentOperationKind kind, string keyspace, DocumentKey key, Document document)
    {
        var content = new DocumentContentBuilder(document.Encoded.Length);
        foreach (var cell in document.Cells)
        {
            if (cell.IsRemoved)
                content.Remove(cell.EncodedPath);
            else
                content.Set(cell.EncodedPath, cell.Value);
        }
        return new DocumentOperation(kind, keyspace, key, content.Build(), []) { Expires = document.Expires };
    }
}
