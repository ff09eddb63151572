using Datacake.Crdt;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Transactions;
using MessagePack;

namespace Datacake.EventualConsistency.Sequencing;

/// <summary>The encoding of operations on documents, in entries and requests.</summary>
static class OperationRecord
{
    const int MaxOperations = 100_000;

    public static void WriteAll(ref MessagePackWriter writer, IReadOnlyList<SerialOperation> operations)
    {
        writer.WriteArrayHeader(operations.Count);
        foreach (var (policy, operation) in operations)
        {
            writer.Write((byte)policy);
            writer.Write((byte)operation.Kind);
            writer.Write(operation.Keyspace);
            writer.Write(operation.Key.Encoded.Span);
            writer.Write(operation.Kind == DocumentOperationKind.Delete ? default : Document.Put(SerialOperation.NoStampYet, operation.Content).Encoded.Span);
        }
    }

    public static SerialOperation[] ReadAll(ref MessagePackReader reader)
    {
        var operations = new SerialOperation[Record.ReadCount(ref reader, MaxOperations, "operations")];
        for (int i = 0; i < operations.Length; i++)
        {
            var policy = KeyspaceRecord.ReadPolicy(ref reader);
            var kind = (DocumentOperationKind)Record.ReadChoice(ref reader, (byte)DocumentOperationKind.Delete, "kind of operation");
            string keyspace = Record.ReadText(ref reader);
            KeyspaceCatalog.CheckName(keyspace);
            var key = new DocumentKey(Record.ReadBytes(ref reader));
            var content = Record.ReadBytes(ref reader);
            operations[i] = new SerialOperation(
                policy, new DocumentOperation(kind, keyspace, key, kind == DocumentOperationKind.Delete ? DocumentContent.Empty : ContentOf(content), []));
        }
        return operations;
    }

    static DocumentContent ContentOf(ReadOnlyMemory<byte> encoded)
    {
        var content = new DocumentContentBuilder(encoded.Length);
        foreach (var cell in Document.Parse(encoded).Cells)
        {
            if (cell.IsRemoved)
                content.Remove(cell.EncodedPath);
            else
                content.Set(cell.EncodedPath, cell.Value);
        }
        return content.Build();
    }
}
