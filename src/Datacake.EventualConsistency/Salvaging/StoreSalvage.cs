using Datacake.Crdt;
using Datacake.EventualConsistency.Commits;
using Datacake.EventualConsistency.Integrity;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Salvaging;

/// <summary>
/// The recovery of data that only the files of a refused store have [R19]. The log of that store names every document of which another
/// member may lack something, because it lacks only transactions that all members had when the store last ran. Each named document is
/// compared with that of this store, and missing data is written in a new transaction.
/// </summary>
/// <remarks>See PROTOCOL.md: salvage.</remarks>
/// <param name="replica">The replica of this store.</param>
/// <param name="loop">The commit loop of this store.</param>
/// <param name="mode">The extent of the writes.</param>
sealed class StoreSalvage(Replica replica, CommitLoop loop, SalvageMode mode)
{
    const int DocumentsPerBatch = 100, MaxListed = 10_000;

    readonly List<SalvagedDocument> _found = [];
    long _all;
    long _examined;
    long _written;

    /// <summary>Compares all documents, and writes the missing data.</summary>
    /// <exception cref="StorageException">
    /// The files cannot be read, their identity or keyspace records are damaged, or they have a different format.
    /// </exception>
    /// <exception cref="ArgumentException">The files contain no store, or a store of another cluster.</exception>
    public async ValueTask<SalvageResult> RunAsync(IStorage files, CancellationToken cancellationToken)
    {
        var damages = new DamageLog();
        using var snapshot = await new ChecksummedStorage(files, damages).OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        await Replica.CheckFormatAsync(files, snapshot, cancellationToken).ConfigureAwait(false);
        KeyspaceCatalog catalog;
        try
        {
            await CheckClusterAsync(files, snapshot, cancellationToken).ConfigureAwait(false);
            catalog = damages.Catalog = await KeyspaceCatalog.LoadAsync(snapshot, cancellationToken).ConfigureAwait(false);
        }
        catch (InvalidDataException e)
        {
            throw new StorageException(StorageError.Corrupt,
                $"The {files.Description} cannot be salvaged, because its identity or its keyspace records are damaged: {e.Message}", e);
        }
        bool isLogWhole = true;
        var seen = new HashSet<StorageKey>();
        var waiting = new List<ReadOnlyMemory<byte>>(DocumentsPerBatch);
        await foreach (var logKey in snapshot.ReadKeysAsync(StoreLayout.AllLog, cancellationToken).ConfigureAwait(false))
        {
            if (await ReadLogAsync(snapshot, logKey).ConfigureAwait(false) is not { } record)
            {
                isLogWhole = false;
                continue;
            }
            foreach (var key in record.Transactions.SelectMany(transaction => transaction.DocumentKeys))
                await TakeAsync(key).ConfigureAwait(false);
        }
        if (!isLogWhole)
        {
            // A damaged log record may have named any document.
            await foreach (var key in snapshot.ReadKeysAsync(StoreLayout.AllDocuments, cancellationToken).ConfigureAwait(false))
                await TakeAsync(key).ConfigureAwait(false);
        }
        await FlushAsync().ConfigureAwait(false);
        return new SalvageResult(_examined, _written, _found);

        async ValueTask TakeAsync(ReadOnlyMemory<byte> key)
        {
            if (!StoreLayout.IsDocumentKey(key.Span) || catalog.FindByNumber(StoreLayout.KeyspaceOf(key.Span)) is null || !seen.Add(new StorageKey(key)))
                return;
            waiting.Add(key);
            if (waiting.Count == DocumentsPerBatch)
                await FlushAsync().ConfigureAwait(false);
        }

        async ValueTask FlushAsync()
        {
            await SalvageAsync(snapshot, catalog, waiting, cancellationToken).ConfigureAwait(false);
            waiting.Clear();
        }
    }

    /// <summary>Returns a log record, or null if it is damaged.</summary>
    static async ValueTask<LogRecord?> ReadLogAsync(IStorageSnapshot snapshot, ReadOnlyMemory<byte> key)
    {
        try
        {
            return StoreLayout.IsLogKey(key.Span) && await snapshot.GetAsync(key).ConfigureAwait(false) is { } value
                ? LogRecord.Decode(StoreLayout.StampOfLogKey(key.Span), value)
                : null;
        }
        catch (Exception e) when (e is StorageException { Error: StorageError.Corrupt } or InvalidDataException)
        {
            return null;
        }
    }

    async ValueTask CheckClusterAsync(IStorage files, IStorageSnapshot snapshot, CancellationToken cancellationToken)
    {
        if (await snapshot.GetAsync(StoreLayout.IdentityKey, cancellationToken).ConfigureAwait(false) is not { } bytes
            || ReplicaIdentity.Decode(bytes) is not { IsJoined: true } identity)
        {
            throw new ArgumentException(
                $"The {files.Description} contains no store that was ever part of a cluster. Open the files of a member of this cluster.", nameof(files));
        }
        if (identity.Cluster != replica.Identity.Cluster)
        {
            throw new ArgumentException(
                $"The {files.Description} contains a store of another cluster ({identity.Cluster:x16}). This node belongs to the cluster "
                    + $"{replica.Identity.Cluster:x16}. Open the files of a member of this cluster.",
                nameof(files));
        }
    }

    async ValueTask SalvageAsync(IStorageSnapshot snapshot, KeyspaceCatalog catalog, List<ReadOnlyMemory<byte>> keys, CancellationToken cancellationToken)
    {
        var documents = new List<(DocumentName Name, Document Document)>();
        foreach (var key in keys)
        {
            var keyspace = catalog[StoreLayout.KeyspaceOf(key.Span)];
            var name = new DocumentName(keyspace.Name, keyspace.Policy, key[StoreLayout.DocumentPrefixLength..]);
            _examined++;
            try
            {
                // A document that is not stored was deleted, and all members knew of the delete.
                if (await snapshot.GetAsync(key, cancellationToken).ConfigureAwait(false) is { } stored)
                    documents.Add((name, DocumentRecord.Parse(key, stored)));
            }
            catch (Exception e) when (e is StorageException { Error: StorageError.Corrupt } or InvalidDataException)
            {
                Add(new SalvagedDocument(name.Keyspace, new DocumentKey(name.Key), DocumentOperationKind.Put, MayBeDeleted: false, e.Message));
            }
        }
        if (documents.Count == 0)
            return;
        var (found, written) = await loop.RunAsync(async (batch, _) =>
        {
            var ofBatch = new List<SalvagedDocument>();
            int count = 0;
            foreach (var (name, document) in documents)
            {
                try
                {
                    if (await SalvageAsync(batch, name, document).ConfigureAwait(false) is not var (one, isWritten))
                        continue;
                    ofBatch.Add(one);
                    count += isWritten ? 1 : 0;
                }
                catch (Exception e) when (e is StorageException { Error: StorageError.Corrupt } or InvalidDataException or ArgumentException)
                {
                    ofBatch.Add(new SalvagedDocument(name.Keyspace, new DocumentKey(name.Key), DocumentOperationKind.Put, MayBeDeleted: false, e.Message));
                }
            }
            return (ofBatch, count);
        }, cancellationToken).ConfigureAwait(false);
        _written += written;
        found.ForEach(Add);
    }

    /// <summary>Returns the finding for a document, if there is one, and true if the document was written.</summary>
    async ValueTask<(SalvagedDocument Found, bool IsWritten)?> SalvageAsync(ReplicaBatch batch, DocumentName name, Document theirs)
    {
        var key = new DocumentKey(name.Key);
        var keyspace = replica.Catalog.Find(name.Keyspace);
        var mine = keyspace is null ? Document.Nothing : await batch.ReadAsync(batch.KeyOf(keyspace, key)).ConfigureAwait(false);
        var (write, mayBeDeleted) = new DocumentSalvage(name.Keyspace, key, keyspace?.Policy ?? name.Policy, batch.State).Compare(mine, theirs);
        if (write is null)
            return null;
        var found = new SalvagedDocument(name.Keyspace, key, write.Kind, mayBeDeleted);
        if (mode == SalvageMode.Trial || (mayBeDeleted && mode != SalvageMode.All))
            return (found, false);
        if (keyspace is null)
            replica.Catalog.FindOrAdd(name.Keyspace, name.Policy);
        var transaction = new Transaction { MayReplaceBounded = true };
        transaction.Add(write);
        await replica.WriteAsync(batch, transaction).ConfigureAwait(false);
        return (found, true);
    }

    /// <summary>Gets the number of documents of which something is still missing.</summary>
    public long Left => _all - _written;

    void Add(SalvagedDocument found)
    {
        _all++;
        if (_found.Count < MaxListed)
            _found.Add(found);
    }
}
