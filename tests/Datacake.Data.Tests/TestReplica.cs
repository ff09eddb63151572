using Datacake.Crdt;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Transactions;

namespace Datacake.Data.Tests;

/// <summary>
/// A replica of one document without a store. Applies the operations of transactions, for tests of merging.
/// </summary>
sealed class TestReplica(byte node)
{
    readonly Dictionary<(HlcTimestamp Born, string Property), long> _shares = [];

    public Document Document { get; private set; } = Document.Nothing;

    public void Apply(DocumentOperation operation, ulong time)
    {
        var stamp = new HlcTimestamp((time << 8) | node);
        Document = Document.Merge(Document, operation.Kind switch
        {
            DocumentOperationKind.Put => Document.Put(stamp, WithShares(operation, stamp)),
            DocumentOperationKind.Update => Document.Update(stamp, WithShares(operation, Document.Born)),
            _ => Document.Delete(stamp),
        });
    }

    public void MergeFrom(TestReplica other) => Document = Document.Merge(Document, other.Document);

    DocumentContent WithShares(DocumentOperation operation, HlcTimestamp born)
    {
        var run = new HlcTimestamp((1UL << 8) | node);
        var builder = new DocumentContentBuilder();
        foreach (var cell in operation.Content)
        {
            if (cell.IsRemoved)
                builder.Remove(cell.EncodedPath);
            else
                builder.Set(cell.EncodedPath, cell.Value);
        }
        Span<byte> share = stackalloc byte[CounterValue.Size];
        foreach (var (property, amount) in operation.Counters)
        {
            long sum = _shares.GetValueOrDefault((born, property)) + amount;
            _shares[(born, property)] = sum;
            CounterValue.Write(share, sum);
            builder.Set(DocumentPath.OfCounterShare(property, born, run).Encoded.Span, share);
        }
        return builder.Build();
    }
}
