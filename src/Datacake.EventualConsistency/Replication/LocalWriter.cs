using System.Text;
using Datacake.Crdt;
using Datacake.EventualConsistency.Escrow;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.EventualConsistency.Transactions;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// The part of a replica that creates local transactions: it checks their requirements and the size of documents [R17], writes increments
/// to the counter shares of the current run [R3], folds the shares of earlier runs [R14], and changes bounded counters only as far as the
/// store has the rights [E3].
/// </summary>
/// <remarks>See PROTOCOL.md: transaction.</remarks>
/// <param name="run">The run of the store.</param>
/// <param name="gapCloser">Tells whether earlier runs of the store may have a lost tail.</param>
/// <param name="catalog">The keyspaces of the store.</param>
/// <param name="storeId">The id of the store.</param>
/// <param name="escrow">The rules for the rights to bounded counters.</param>
/// <param name="maxDocumentLength">The maximum length of an encoded document, in bytes.</param>
sealed class LocalWriter(OwnRun run, GapCloser gapCloser, KeyspaceCatalog catalog, ulong storeId, EscrowRules escrow, int maxDocumentLength)
{
    readonly List<ReadOnlyMemory<byte>> _keys = [];                 // of the transaction that is being created
    readonly List<Document> _merged = [];
    bool _usesRights;                                               // the transaction that is being created

    /// <summary>Creates a transaction in the current run.</summary>
    /// <returns>The stamp of the transaction.</returns>
    /// <exception cref="DocumentNotFoundException">An update names a document that does not exist here. The batch is unchanged.</exception>
    /// <exception cref="TransactionConflictException">A requirement of the transaction is not met. The batch is unchanged.</exception>
    /// <exception cref="CounterBoundException">A counter would pass its bound, or the store lacks the rights to change it. The batch is unchanged.</exception>
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
            if (operation.Kind == DocumentOperationKind.Update && !current.IsAliveAt(batch.Now, keyspace.Policy))
                throw new DocumentNotFoundException(operation.Keyspace, operation.Key);
            if (!isSerial && !transaction.MayReplaceBounded && BoundedReplacement.IsBy(operation, current, keyspace.Policy, batch.Now))
                throw new InvalidOperationException(BoundedReplacement.Describe(operation));
            _keys.Add(key);
        }

        if (!isSerial)
            stamp = run.Tick();
        var deltas = new DocumentDelta[_keys.Count];
        _merged.Clear();
        _usesRights = false;
        for (int i = 0; i < deltas.Length; i++)
        {
            var operation = transaction.Operations[i];
            var keyspace = catalog[StoreLayout.KeyspaceOf(_keys[i].Span)];
            var current = await batch.ReadAsync(_keys[i]).ConfigureAwait(false);
            var delta = DeltaOf(operation, current, stamp, gapCloser.MayLackTail(batch.Before, run.Stamp) ? null : batch.Truncated, isSerial);
            var merged = Document.Merge(current, delta);
            // What is decided is applied, whatever it merges with.
            if (!isSerial && operation.Kind != DocumentOperationKind.Delete && merged.Encoded.Length > Math.Max(maxDocumentLength, current.Encoded.Length))
                throw TooLarge(operation, merged.Encoded.Length);
            _merged.Add(merged);
            deltas[i] = new DocumentDelta(
                new DocumentName(keyspace.Name, keyspace.Policy, operation.Key.Encoded),
                operation.IsPut ? HlcTimestamp.None : current.Born,
                delta);
        }
        for (int i = 0; i < _merged.Count; i++)
            batch.Write(_keys[i], _merged[i]);
        batch.MustFlush |= _usesRights && escrow.MustFlush;
        run.Publish(batch, stamp, deltas, _keys);
        return stamp;
    }

    /// <summary>Gives rights to a bounded counter to another store, in a transaction of its own [E6].</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="key">The key of the document in the storage.</param>
    /// <param name="property">The name of the counter.</param>
    /// <param name="isUp">True for rights to increase the counter.</param>
    /// <param name="asked">The amount that the store asks for.</param>
    /// <param name="receiver">The store and its run.</param>
    /// <returns>True if rights were given.</returns>
    public async ValueTask<bool> GiveRightsAsync(
        ReplicaBatch batch, ReadOnlyMemory<byte> key, string property, bool isUp, long asked, (ulong Store, HlcTimestamp Run) receiver)
    {
        var current = await batch.ReadAsync(key).ConfigureAwait(false);
        if (!current.IsAliveAt(batch.Now, batch.PolicyOf(key)) || BoundedCounter.Of(current, property) is not { } counter || counter.Bound(isUp) is null)
            return false;
        var shares = escrow.GiveTo(counter, isUp, asked, receiver, Own, IsProven(batch));
        if (shares.Count == 0)
            return false;
        var content = new DocumentContentBuilder();
        foreach (var (owner, share) in shares)
            content.Set(DocumentPath.OfCounterShare(property, current.Born, owner).Encoded.Span, share.Encode());
        var stamp = run.Tick();
        var delta = Document.Update(stamp, content.Build());
        batch.Write(key, Document.Merge(current, delta));
        batch.MustFlush |= escrow.MustFlush;
        _keys.Clear();
        _keys.Add(key);
        run.Publish(batch, stamp, [new DocumentDelta(batch.NameOf(key), current.Born, delta)], _keys);
        return true;
    }

    /// <summary>Returns true if the store may use the rights of its earlier runs [E5].</summary>
    public bool IsProven(ReplicaBatch batch) => !gapCloser.MayLackTail(batch.Before, run.Stamp);

    /// <summary>Gets the store and its present run.</summary>
    public (ulong Store, HlcTimestamp Run) Own => (storeId, run.Stamp);

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
                shown = current.IsAliveAt(batch.Now, keyspace.Policy) ? current : null;
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
    /// The stamps whose counter shares of earlier runs of this replica are folded into the share of the current run [R14]; null if the tail
    /// of an earlier run may be missing here.
    /// </param>
    /// <param name="isSerial">True if the sequencer applies the operation, whose counters have no bounds.</param>
    Document DeltaOf(DocumentOperation operation, Document current, HlcTimestamp stamp, VersionVector? settled, bool isSerial)
    {
        bool isPut = operation.Kind == DocumentOperationKind.Put;
        if (operation.Kind == DocumentOperationKind.Delete)
            return Document.Delete(stamp);
        if (operation.IsRenewal)
            return RenewalOf(operation, current, stamp);
        var delta = isPut ? Document.Put(stamp, operation.Content, operation.Expires) : Document.Update(stamp, operation.Content);
        if (operation.Counters.Count == 0)
            return delta;

        var shares = new DocumentContentBuilder();
        Span<byte> value = stackalloc byte[CounterValue.Size];
        foreach (var increment in operation.Counters)
        {
            var (property, amount) = increment;
            if (!isSerial && (isPut ? increment.IsBounded : increment.IsBounded || BoundedCounter.HasAny(current)) && AddBounded(operation, increment, current, stamp, settled is not null, shares))
                continue;
            // An increment is written to the counter share of the current run on this put [R3].
            var path = DocumentPath.OfCounterShare(property, isPut ? stamp : current.Born, run.Stamp).Encoded.Span;
            long total = !isPut && current.TryGetCell(path, out var share) && !share.IsRemoved ? CounterValue.Read(share.Value) : 0;
            if (!isPut && settled is { IsEmpty: false })
                total = unchecked(total + Fold(current, property, settled, shares));
            CounterValue.Write(value, unchecked(total + amount));
            shares.Set(path, value);
        }
        var content = shares.Build();
        return Document.Merge(delta, isPut ? Document.Put(stamp, content) : Document.Update(stamp, content));
    }

    /// <summary>Returns the put of what a document shows, with the changes and the expiry of an operation [R20]. Its counters begin anew with their present values.</summary>
    Document RenewalOf(DocumentOperation operation, Document current, HlcTimestamp stamp)
    {
        var content = new DocumentContentBuilder(current.Encoded.Length + operation.Content.Length);
        var changed = Document.Merge(current, Document.Update(stamp, operation.Content));
        var counters = operation.Counters.ToDictionary(static increment => increment.Property, static increment => increment.Amount);
        // Only a decided operation comes here with bounds: others over such a counter are refused.
        ShownCells.AddTo(changed, content, counters, withBounded: false);
        Span<byte> value = stackalloc byte[CounterValue.Size];
        foreach (var (property, total) in counters)
        {
            CounterValue.Write(value, total);
            content.Set(DocumentPath.OfCounterShare(property, stamp, run.Stamp).Encoded.Span, value);
        }
        return Document.Put(stamp, content.Build(), operation.Expires);
    }

    /// <summary>
    /// Adds to a bounded counter with the rights of this store [E3], or creates it [E1]. Returns false if the counter is not bounded.
    /// </summary>
    /// <exception cref="CounterBoundException">The counter would pass its bound, or the store lacks the rights.</exception>
    /// <exception cref="InvalidOperationException">The counter has bounds, but the document was stored without them.</exception>
    bool AddBounded(DocumentOperation operation, CounterIncrement increment, Document current, HlcTimestamp stamp, bool isProven, DocumentContentBuilder shares)
    {
        var (property, amount) = increment;
        if (operation.Kind == DocumentOperationKind.Put)
        {
            if (amount < increment.Minimum || amount > increment.Maximum)
                throw new CounterBoundException(operation, property, amount, (amount < increment.Minimum ? increment.Minimum : increment.Maximum)!.Value, amount > increment.Maximum, 0, 0, 0);
            shares.Set(
                DocumentPath.OfCounterShare(property, stamp, run.Stamp).Encoded.Span, new BoundedShare(storeId, amount, increment.Minimum, increment.Maximum, []).Encode());
            return true;
        }
        var counter = BoundedCounter.Of(current, property);
        if (counter is null && !increment.IsBounded)
            return false;
        if (counter is null)
        {
            // Two nodes may do this at the same time. Neither has any rights by it, so only these bounds can begin so [E1].
            if (increment is not { Minimum: 0, Maximum: null } || BoundedCounter.HasUnbounded(current, property))
                throw LacksBounds(operation, property);
            counter = BoundedCounter.AtZero(property);
        }
        if (amount == 0)
            return true;
        if (escrow.TryAdd(counter, amount, Own, isProven) is not { } changed)
            throw TooFewRights(operation, counter, amount, isProven);
        foreach (var (owner, share) in changed)
            shares.Set(DocumentPath.OfCounterShare(property, current.Born, owner).Encoded.Span, share.Encode());
        _usesRights |= counter.Bound(amount > 0) is not null;
        return true;
    }

    CounterBoundException TooFewRights(DocumentOperation operation, BoundedCounter counter, long amount, bool isProven)
    {
        bool isUp = amount > 0;
        long bound = counter.Bound(isUp) ?? (isUp ? long.MaxValue : long.MinValue);
        if (counter.Bound(isUp) is null)
            return new CounterBoundException(operation, counter.Property, amount, bound, isUp, 0, 0, 0);
        var here = EscrowRules.Sum(escrow.Usable(counter, Own, isProven), isUp);
        var mine = EscrowRules.Sum(counter.Holders.Where(holder => holder.Store == storeId), isUp);
        return new CounterBoundException(operation, counter.Property, amount, bound, isUp, here, mine - here, EscrowRules.Sum(counter.Holders, isUp) - mine);
    }

    static InvalidOperationException LacksBounds(DocumentOperation operation, string property) => new(
        $"The counter '{property}' of the document {operation.Key} of the keyspace '{operation.Keyspace}' has bounds now, but the document was stored without them. "
            + "Nothing was written. Put the whole document again, at a time when no other node changes it.");

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
                || BoundedShare.IsBounded(cell.Value) || cell.ShareRun.Node != run.Node || cell.ShareRun == run.Stamp || !settled.Contains(cell.Stamp)
                || !cell.Property.SequenceEqual(name))
                continue;
            sum = unchecked(sum + CounterValue.Read(cell.Value));
            shares.Remove(cell.EncodedPath);
        }
        return sum;
    }
}
