using System.Text;
using Datacake.Crdt;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.EventualConsistency.Transactions;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// The part of a replica that creates local transactions: it checks their requirements and the size of documents [R17], writes increments
/// to the counter shares of the current run [R3], and folds the shares of earlier runs [R14].
/// </summary>
/// <remarks>See PROTOCOL.md: transaction.</remarks>
/// <param name="run">The run of the store.</param>
/// <param name="gapCloser">Tells whether earlier runs of the store may have a lost tail.</param>
/// <param name="catalog">The keyspaces of the store.</param>
/// <param name="maxDocumentLength">The maximum length of an encoded document, in bytes.</param>
sealed class LocalWriter(OwnRun run, GapCloser gapCloser, KeyspaceCatalog catalog, int maxDocumentLength)
{
    readonly List<ReadOnlyMemory<byte>> _keys = [];                 // of the transaction that is being created
    readonly List<Document> _merged = [];

    /// <summary>Creates a transaction in the current run.</summary>
    /// <returns>The stamp of the transaction.</returns>
    /// <exception cref="DocumentNotFoundException">An update names a document that does not exist here. The batch is unchanged.</exception>
    /// <exception cref="TransactionConflictException">A requirement of the transaction is not met. The batch is unchanged.</exception>
    /// <exception cref="ArgumentException">A document would become too large. The batch is unchanged.</exception>
    public ValueTask<HlcTimestamp> WriteAsync(ReplicaBatch batch, Transaction transaction) => WriteAsync(batch, transaction, HlcTimestamp.None);

    /// <summary>Creates the transaction with which the sequencer applies what is decided [S4]. It alone may write to serial keyspaces.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="transaction">The effects.</param>
    /// <param name="stamp">The stamp, which the sequencer has issued.</param>
    public async ValueTask WriteSerialAsync(ReplicaBatch batch, Transaction transaction, HlcTimestamp stamp) =>
        await WriteAsync(batch, transaction, stamp).ConfigureAwait(false);

    async ValueTask<HlcTimestamp> WriteAsync(ReplicaBatch batch, Transaction transaction, HlcTimestamp stamp)
    {
        bool isSerial = !stamp.IsNone;
        if (transaction.Requirements.Count > 0)
            await CheckRequirementsAsync(batch, transaction).ConfigureAwait(false);
        _keys.Clear();
        for (int i = 0; i < transaction.Count; i++)
        {
            var operation = transaction.Operations[i];
            var keyspace = catalog.FindOrAdd(operation.Keyspace, MergePolicy.LastWriterWins);
            if (keyspace.Policy == MergePolicy.Serial && !isSerial)
            {
                throw new InvalidOperationException(
                    $"The keyspace '{operation.Keyspace}' is serial: only serial transactions write to it. Nothing was written. Save the document in a serial transaction.");
            }
            var key = batch.KeyOf(keyspace, operation.Key);
            var current = await batch.ReadAsync(key).ConfigureAwait(false);
            if (operation.Kind == DocumentOperationKind.Update && !current.IsAlive(keyspace.Policy))
                throw new DocumentNotFoundException(operation.Keyspace, operation.Key);
            _keys.Add(key);
        }

        if (!isSerial)
            stamp = run.Tick();
        var deltas = new DocumentDelta[_keys.Count];
        _merged.Clear();
        for (int i = 0; i < deltas.Length; i++)
        {
            var operation = transaction.Operations[i];
            var keyspace = catalog[StoreLayout.KeyspaceOf(_keys[i].Span)];
            var current = await batch.ReadAsync(_keys[i]).ConfigureAwait(false);
            var delta = DeltaOf(operation, current, stamp, gapCloser.MayLackTail(batch.Before, run.Stamp) ? VersionVector.Empty : batch.Truncated);
            var merged = Document.Merge(current, delta);
            // What is decided is applied, whatever it merges with.
            if (!isSerial && operation.Kind != DocumentOperationKind.Delete && merged.Encoded.Length > Math.Max(maxDocumentLength, current.Encoded.Length))
                throw TooLarge(operation, merged.Encoded.Length);
            _merged.Add(merged);
            deltas[i] = new DocumentDelta(
                new DocumentName(keyspace.Name, keyspace.Policy, operation.Key.Encoded),
                operation.Kind == DocumentOperationKind.Put ? HlcTimestamp.None : current.Born,
                delta);
        }
        for (int i = 0; i < _merged.Count; i++)
            batch.Write(_keys[i], _merged[i]);
        run.Publish(batch, stamp, deltas, _keys);
        return stamp;
    }

    /// <summary>
    /// Creates the exception for a document that would become too large. The limit applies to the resulting document, however little the
    /// write adds. A document that is already larger, because writes of several nodes were merged, may still be changed in ways that do not
    /// make it grow [R17].
    /// </summary>
    TransactionLimitException TooLarge(DocumentOperation operation, int length) => new(
        $"The document {operation.Key} of the keyspace '{operation.Keyspace}' would be {length} bytes long after this write. The limit is {maxDocumentLength} bytes "
            + $"({nameof(ReplicatedStoreOptions)}.{nameof(ReplicatedStoreOptions.MaxDocumentLength)}). Remove some of its content, or split it into several documents.",
        length, maxDocumentLength, operation);

    async ValueTask CheckRequirementsAsync(ReplicaBatch batch, Transaction transaction)
    {
        foreach (var (name, key, isMet) in transaction.Requirements)
        {
            Document? shown = null;
            if (catalog.Find(name) is { } keyspace)
            {
                var current = await batch.ReadAsync(batch.KeyOf(keyspace, key)).ConfigureAwait(false);
                shown = current.IsAlive(keyspace.Policy) ? current : null;
            }
            if (!isMet(shown))
                throw new TransactionConflictException(name, key);
        }
    }

    /// <summary>Returns the change that an operation makes to a document.</summary>
    /// <param name="operation">The operation.</param>
    /// <param name="current">The current document.</param>
    /// <param name="stamp">The stamp of the transaction.</param>
    /// <param name="settled">
    /// The stamps whose counter shares of earlier runs of this replica are folded into the share of the current run [R14].
    /// </param>
    Document DeltaOf(DocumentOperation operation, Document current, HlcTimestamp stamp, VersionVector settled)
    {
        bool isPut = operation.Kind == DocumentOperationKind.Put;
        if (operation.Kind == DocumentOperationKind.Delete)
            return Document.Delete(stamp);
        var delta = isPut ? Document.Put(stamp, operation.Content) : Document.Update(stamp, operation.Content);
        if (operation.Counters.Count == 0)
            return delta;

        var shares = new DocumentContentBuilder();
        Span<byte> value = stackalloc byte[CounterValue.Size];
        foreach (var (property, amount) in operation.Counters)
        {
            // An increment is written to the counter share of the current run on this put [R3].
            var path = DocumentPath.OfCounterShare(property, isPut ? stamp : current.Born, run.Stamp).Encoded.Span;
            long total = !isPut && current.TryGetCell(path, out var share) && !share.IsRemoved ? CounterValue.Read(share.Value) : 0;
            if (!isPut && !settled.IsEmpty)
                total = unchecked(total + Fold(current, property, settled, shares));
            CounterValue.Write(value, unchecked(total + amount));
            shares.Set(path, value);
        }
        var content = shares.Build();
        return Document.Merge(delta, isPut ? Document.Put(stamp, content) : Document.Update(stamp, content));
    }

    /// <summary>
    /// Removes the counter shares of this replica's earlier runs, and returns their sum, so that the counter does not grow with restarts.
    /// </summary>
    /// <remarks>
    /// A share is folded once its value is final: the gap of the earlier runs is closed, and every member is known to have the share. A
    /// replica that learns of the removal therefore knows the share, so that a full reconcile does not mistake a share that was folded and
    /// purged for one that is missing.
    /// </remarks>
    long Fold(Document current, string property, VersionVector settled, DocumentContentBuilder shares)
    {
        long sum = 0;
        byte[] name = Encoding.UTF8.GetBytes(property);
        foreach (var cell in current.Cells)
        {
            if (cell.Kind != DocumentPathKind.CounterShare || cell.IsRemoved || !cell.IsShown(current.Born)
                || cell.ShareRun.Node != run.Node || cell.ShareRun == run.Stamp || !settled.Contains(cell.Stamp)
                || !cell.Property.SequenceEqual(name))
                continue;
            sum = unchecked(sum + CounterValue.Read(cell.Value));
            shares.Remove(cell.EncodedPath);
        }
        return sum;
    }
}
