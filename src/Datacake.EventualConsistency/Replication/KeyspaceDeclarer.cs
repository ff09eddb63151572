using Datacake.Crdt;
using Datacake.EventualConsistency.Indexes;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// The declaration of keyspaces: brings the stored state of a keyspace in line with its declaration, within one batch. Stored indexes are
/// kept, and new ones are added and must be built.
/// </summary>
static class KeyspaceDeclarer
{
    public static async ValueTask DeclareAsync(
        Replica replica, ReplicaBatch batch, KeyspaceDeclaration declaration, ILogger logger, CancellationToken cancellationToken)
    {
        var keyspace = replica.Catalog.FindOrAdd(declaration.Name, declaration.Policy);
        keyspace.IsDeclared = true;
        batch.NoteNamed(keyspace);
        var change = batch.Change(keyspace);
        if (change.State.Record.Count > 0 && (change.State.Record.Policy == MergePolicy.Serial) != (declaration.Policy == MergePolicy.Serial))
            throw OtherOrder(change.State.Record, declaration);
        if (change.State.Record.Policy != declaration.Policy)
            await CountAgainAsync(replica, batch, change, declaration.Policy, cancellationToken).ConfigureAwait(false);
        foreach (var index in declaration.Indexes)
            Declare(replica.Catalog, batch, change, index);
        // Indexes of small keyspaces are ready at once.
        foreach (var _ in declaration.Indexes)
            await IndexFiller.BuildAsync(batch, keyspace, logger, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Recounts and reindexes all documents of a keyspace, because its policy is replaced, so that other documents are alive, or because
    /// documents were repaired.
    /// </summary>
    /// <returns>
    /// False if documents were repaired and one of them shows stamps that are not known here yet. The batch is then unchanged.
    /// </returns>
    public static async ValueTask<bool> CountAgainAsync(
        Replica replica, ReplicaBatch batch, KeyspaceChange change, MergePolicy policy, CancellationToken cancellationToken, bool isRepaired = false)
    {
        long count = 0;
        UInt128 fingerprint = 0;
        if (!batch.IsWiped)
        {
            var range = StoreLayout.Documents(change.Keyspace.Number);
            await foreach (var (key, value) in batch.Snapshot.ReadAllAsync(range, cancellationToken).ConfigureAwait(false))
            {
                var document = DocumentRecord.Parse(key, value);
                if (isRepaired && !document.IsWithin(replica.State.Known))
                    return false;
                count += document.IsAlive(policy) ? 1 : 0;
                fingerprint += Fingerprint.Of(key.Span[StoreLayout.DocumentPrefixLength..], document, policy);
            }
        }
        var record = change.State.Record with
        {
            Policy = policy,
            Count = count,
            Fingerprint = fingerprint,
            MustCount = change.State.Record.MustCount && !isRepaired,
        };
        var state = change.State with { Record = record };
        foreach (ushort number in state.IndexRecords.Keys)
            state = state.WithDropped(number);
        var declared = change.State.Indexes;
        change.State = state;
        foreach (var index in declared)
            Declare(replica.Catalog, batch, change, index.Definition);
        return true;
    }

    /// <summary>
    /// Keeps indexes of a keyspace that no application has declared, and drops others of the kind that were kept before. The indexes of small keyspaces are ready at
    /// once.
    /// </summary>
    /// <param name="replica">The replica.</param>
    /// <param name="batch">The batch.</param>
    /// <param name="keyspace">The keyspace.</param>
    /// <param name="indexes">The indexes.</param>
    /// <param name="isOfKind">Returns true if an index with a name is one of the kind.</param>
    public static async ValueTask KeepAsync(
        Replica replica, ReplicaBatch batch, KeyspaceEntry keyspace, IReadOnlyList<DocumentIndex> indexes, Func<string, bool> isOfKind)
    {
        keyspace.IsDeclared |= indexes.Count > 0;
        batch.NoteNamed(keyspace);
        var change = batch.Change(keyspace);
        foreach (var index in change.State.Indexes.Where(index => isOfKind(index.Definition.Name) && !indexes.Any(kept => kept.Name == index.Definition.Name)))
            change.State = change.State.WithDropped(index.Number);
        foreach (var index in indexes)
            Declare(replica.Catalog, batch, change, index);
        foreach (var _ in indexes)
            await IndexFiller.BuildAsync(batch, keyspace, NullLogger.Instance, CancellationToken.None).ConfigureAwait(false);
    }

    /// <summary>Creates the exception for a keyspace with documents that is declared as serial and is not, or the reverse [S1].</summary>
    static InvalidOperationException OtherOrder(KeyspaceRecord stored, KeyspaceDeclaration declaration)
    {
        bool isSerial = declaration.Policy == MergePolicy.Serial;
        string name = declaration.Class is { } type ? $"The class {type}" : $"The keyspace '{declaration.Name}'", not = isSerial ? "" : "not ", otherNot = isSerial ? "not " : "";
        return new InvalidOperationException(
            $"{name} is declared as {not}serial, but the keyspace '{declaration.Name}' has {stored.Count} document{(stored.Count == 1 ? "" : "s")} and is {otherNot}serial. "
                + $"A keyspace is one or the other for life, on all nodes. Nothing was changed. {(isSerial ? "Remove" : "Add")} [Serial] or IsSerial(), "
                + "or give the new kind a keyspace of its own ([Keyspace(\"…\")] or ToKeyspace), and copy the documents.");
    }

    /// <summary>Removes the entries of an index, and rebuilds the index if it is declared.</summary>
    public static void RebuildIndex(Replica replica, ReplicaBatch batch, KeyspaceChange change, ushort number)
    {
        var declared = change.State.Indexes.Where(index => index.Number == number).ToArray();
        change.State = change.State.WithDropped(number);
        foreach (var index in declared)
            Declare(replica.Catalog, batch, change, index.Definition);
    }

    /// <summary>
    /// Adds the index of expiries [R20] to the keyspaces in which a batch stores the first document that expires. Must be called before the documents are added to
    /// the changes of their keyspaces.
    /// </summary>
    public static void DeclareExpiry(ReplicaBatch batch, KeyspaceCatalog catalog, IEnumerable<(ReadOnlyMemory<byte> Key, Document Before, Document After)> documents)
    {
        KeyspaceEntry? last = null;
        foreach (var (key, _, after) in documents)
        {
            if (after.Expires.IsNone || after.IsLapsed || (last is not null && last.Number == StoreLayout.KeyspaceOf(key.Span)))
                continue;
            last = catalog[StoreLayout.KeyspaceOf(key.Span)];
            var state = batch.FindChange(last)?.State ?? last.State;
            if (!state.Indexes.Any(static index => index.Definition.Name == ExpiryIndex.Name))
                Declare(catalog, batch, batch.Change(last), ExpiryIndex.Definition);
        }
    }

    static void Declare(KeyspaceCatalog catalog, ReplicaBatch batch, KeyspaceChange change, DocumentIndex definition)
    {
        var state = change.State;
        foreach (var (number, record) in state.IndexRecords)
        {
            if (record.Name != definition.Name || record.Stage == IndexStage.Dropped)
                continue;
            if (record.IsOf(definition))
            {
                if (!state.Indexes.Any(index => index.Number == number))
                    change.State = state.With(number, record, definition);
                return;
            }
            state = state.WithDropped(number);
        }
        var added = new IndexRecord(change.Keyspace.Number, definition.Name, definition.Signature, IndexStage.Building);
        change.State = state.With(FreeNumber(catalog, batch), added, definition);
    }

    /// <summary>Returns a number that no index uses, including dropped indexes that still have entries.</summary>
    static ushort FreeNumber(KeyspaceCatalog catalog, ReplicaBatch batch)
    {
        var used = catalog.All.SelectMany(keyspace => keyspace.State.IndexRecords.Keys)
            .Concat(batch.KeyspaceChanges.SelectMany(change => change.State.IndexRecords.Keys)).ToHashSet();
        for (int number = 1; number <= ushort.MaxValue; number++)
        {
            if (!used.Contains((ushort)number))
                return (ushort)number;
        }
        throw new InvalidOperationException($"The store has the maximum of {ushort.MaxValue} indexes. Declare fewer indexes.");
    }
}
