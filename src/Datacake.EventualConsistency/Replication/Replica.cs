using System.Runtime.InteropServices;
using System.Text;
using Datacake.Crdt;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// The replication rules of one store: a state machine without sockets, threads or timers. It is handed transactions, messages and ticks, and
/// says through a <see cref="ReplicaBatch"/> what to store and then to send. Rule numbers in brackets are those of the protocol.
/// </summary>
/// <remarks>
/// Used by one caller at a time. Each batch is begun, worked on, prepared, committed to the storage, and then completed or abandoned, before the next.
/// </remarks>
sealed partial class Replica
{
    readonly HybridLogicalClock _clock;
    readonly ReplicaSettings _settings;
    readonly OwnRun _run;
    readonly StampLimit _limit;
    readonly Collector _collector;
    readonly FingerprintComparison _comparison = new();
    readonly BatchBuffers _buffers = new();                         // of the batch under way
    readonly List<ReadOnlyMemory<byte>> _keys = [];                 // of the transaction that is being applied
    readonly List<Document> _merged = [];                           // of the local one
    ReplicaState _state;
    long _ticks;

    Replica(ReplicaSettings settings, HybridLogicalClock clock, KeyspaceCatalog catalog, ReplicaIdentity identity, ReplicaState state)
    {
        _settings = settings;
        _clock = clock;
        _run = new OwnRun(clock, identity);
        _limit = new StampLimit(identity);
        _table = new SessionTable(clock.Node);
        _admission = new Admission(settings, clock, identity);
        _members = new Members(clock.Node, identity);
        _seedTaker = new SeedTaker(catalog, settings.MaxStep);
        _gapCloser = new GapCloser(clock.Node, identity);
        _collector = new Collector(settings.MaxStep);
        Catalog = catalog;
        Identity = identity;
        _state = state;
    }

    /// <summary>The node whose replica this is.</summary>
    public byte Node => _clock.Node;

    /// <summary>The life of this process.</summary>
    public ulong Boot => _settings.Boot;

    public KeyspaceCatalog Catalog { get; }

    public ReplicaIdentity Identity { get; }

    /// <summary>What is known, as of the last completed batch.</summary>
    public ReplicaState State => _state;

    /// <inheritdoc cref="FingerprintComparison.Differing"/>
    public IReadOnlyCollection<byte> Differing => _comparison.Differing;

    /// <summary>The stamp that this life of the store started with, or none before it has joined [R5].</summary>
    public HlcTimestamp Run => _run.Stamp;

    public bool IsJoined => _run.HasBegun;

    /// <summary>Opens the replica of a store; the returned batch has what must be committed before anything else.</summary>
    /// <exception cref="StorageException">The store is of another format, or damaged.</exception>
    public static async ValueTask<(Replica Replica, ReplicaBatch Batch)> OpenAsync(
        ReplicaSettings settings, HybridLogicalClock clock, IStorage storage, IStorageSnapshot snapshot, CancellationToken cancellationToken)
    {
        try
        {
            await CheckFormatAsync(storage, snapshot, cancellationToken).ConfigureAwait(false);
            var catalog = await KeyspaceCatalog.LoadAsync(snapshot, cancellationToken).ConfigureAwait(false);
            var identity = await snapshot.GetAsync(StoreLayout.IdentityKey, cancellationToken).ConfigureAwait(false) is { } found
                ? ReplicaIdentity.Decode(found)
                : new ReplicaIdentity(settings.FreshId);
            var state = await ReadStateAsync(snapshot, cancellationToken).ConfigureAwait(false);
            CheckNode(clock.Node, identity, storage);
            if (settings.Delay is { } delay && StampLimit.WaitFor(identity.Limit, settings.Time) is { Ticks: > 0 } wait)
                await delay(wait, cancellationToken).ConfigureAwait(false);
            var replica = new Replica(settings, clock, catalog, identity, state);
            return (replica, await replica.StartAsync(snapshot, cancellationToken).ConfigureAwait(false));
        }
        catch (InvalidDataException e)
        {
            throw new StorageException(StorageError.Corrupt,
                $"The {storage.Description} is damaged: {e.Message} Remove it and start the node again: it takes the data from its peers.", e);
        }
    }

    /// <summary>What a snapshot's store knows.</summary>
    public static async ValueTask<ReplicaState> ReadStateAsync(IStorageSnapshot snapshot, CancellationToken cancellationToken) =>
        await snapshot.GetAsync(StoreLayout.StateKey, cancellationToken).ConfigureAwait(false) is { } state ? ReplicaState.Decode(state) : ReplicaState.Empty;

    /// <summary>
    /// The last batch of an orderly stop: writes the limit back to the last stamp, so that the next start need not wait. Nothing is written after it.
    /// </summary>
    public void PrepareStop()
    {
        if (IsJoined)
            _limit.Release(_run.Last);
    }

    /// <summary>Starts a batch over a snapshot of everything committed so far.</summary>
    public ReplicaBatch Begin(IStorageSnapshot snapshot) => new(snapshot, Catalog, _state, _buffers);

    /// <summary>The last step before the storage commit. Whether it has to be flushed, whatever the store's durability is.</summary>
    public (WriteBatch Batch, bool MustFlush) Prepare(ReplicaBatch batch)
    {
        _limit.Cover(_run.Stamp, batch.LastWritten);
        return (batch.Build(Identity), Identity.IsDirty);
    }

    /// <summary>The storage has committed the batch.</summary>
    public void Complete(ReplicaBatch batch)
    {
        _state = batch.State;
        _hasJoined = IsJoined;
        _run.OnCommitted(batch);
        Identity.IsDirty = false;
        Catalog.Complete(batch.KeyspaceChanges);
        if (batch.IsReconciled)
            _arrived = null;
    }

    /// <summary>
    /// The storage has failed to commit the batch, and the snapshot shows what became of it: nothing of it counts but what is stored. What was
    /// pulled is fetched again.
    /// </summary>
    public async ValueTask AbandonAsync(IStorageSnapshot snapshot)
    {
        _pulls.Clear();
        _arrived = null;
        _mayHavePartAside = true;
        bool hasJoined = await snapshot.GetAsync(StoreLayout.IdentityKey).ConfigureAwait(false) is { } identity && ReplicaIdentity.Decode(identity).IsJoined;
        if (!hasJoined)
            await ReadSeedAsync(snapshot).ConfigureAwait(false);
        _state = await ReadStateAsync(snapshot, CancellationToken.None).ConfigureAwait(false);
        _run.OnAbandoned(_state);
        await Catalog.ReadAgainAsync(snapshot).ConfigureAwait(false);
    }

    /// <summary>Does what is due from time to time: reports, pulls, roll calls. To be called every few hundred milliseconds.</summary>
    public void Tick(ReplicaBatch batch)
    {
        _ticks++;
        TickPulls(batch);
        foreach (byte peer in _comparison.Tick())
        {
            if (!CanPull || !Sessions.ContainsKey(peer))
                continue;
            _comparison.OnMerging(peer);
            StartPull(batch, peer, isFull: true);
        }
        if (IsWaitingForRoll)
            StartRoll(batch);
        else if (IsJoined && _gapCloser.HasGap(batch.State))
            TickGap(batch);
        batch.Outbox.Add(new Outgoing(null, 0, Report(batch)));
    }

    /// <summary>
    /// Truncates the log of what is stable and not above <paramref name="upTo"/>, and purges what becomes purgeable by it: some thousands of records
    /// at a time.
    /// </summary>
    /// <returns>True if there is more to do.</returns>
    public async ValueTask<bool> CollectAsync(ReplicaBatch batch, HlcTimestamp upTo)
    {
        if (!IsJoined)
            return await PurgeSeedAsync(batch).ConfigureAwait(false);
        bool hasMore = await _collector.CollectAsync(batch, Stable(_state), upTo).ConfigureAwait(false);
        return hasMore || IsClearing;
    }

    /// <summary>Commits a local transaction [R5].</summary>
    /// <exception cref="DocumentNotFoundException">An update names a document that is not shown here; the batch is as before.</exception>
    /// <exception cref="TransactionConflictException">A document is not as the transaction requires; the batch is as before.</exception>
    /// <exception cref="StoreExcludedException">The store is no longer part of its cluster; the batch is as before.</exception>
    /// <exception cref="ArgumentException">A document would become too large; the batch is as before.</exception>
    public async ValueTask<HlcTimestamp> WriteAsync(ReplicaBatch batch, Transaction transaction)
    {
        if (!IsJoined)
            throw new InvalidOperationException("A store that has not joined its cluster issues no stamps.");
        if (Exclusion is { } exclusion)
            throw new StoreExcludedException(Node, exclusion.Reason);
        if (transaction.Requirements.Count > 0)
            await CheckRequirementsAsync(batch, transaction).ConfigureAwait(false);
        _keys.Clear();
        for (int i = 0; i < transaction.Count; i++)
        {
            var operation = transaction.Operations[i];
            var keyspace = Catalog.FindOrAdd(operation.Keyspace, MergePolicy.LastWriterWins);
            var key = batch.KeyOf(keyspace, operation.Key);
            var current = await batch.ReadAsync(key).ConfigureAwait(false);
            if (operation.Kind == DocumentOperationKind.Update && !current.IsAlive(keyspace.Policy))
                throw new DocumentNotFoundException(operation.Keyspace, operation.Key);
            _keys.Add(key);
        }

        var stamp = _run.Tick();
        var deltas = new Delta[_keys.Count];
        _merged.Clear();
        for (int i = 0; i < deltas.Length; i++)
        {
            var operation = transaction.Operations[i];
            var keyspace = Catalog[StoreLayout.KeyspaceOf(_keys[i].Span)];
            var current = await batch.ReadAsync(_keys[i]).ConfigureAwait(false);
            var delta = DeltaOf(operation, current, stamp, _gapCloser.HasGap(_state) ? VersionVector.Empty : batch.Truncated);
            var merged = Document.Merge(current, delta);
            if (operation.Kind != DocumentOperationKind.Delete && merged.Encoded.Length > Math.Max(_settings.MaxDocumentLength, current.Encoded.Length))
                throw TooLarge(operation, merged.Encoded.Length);
            _merged.Add(merged);
            deltas[i] = new Delta(
                new DocumentName(keyspace.Name, keyspace.Policy, operation.Key.Encoded),
                operation.Kind == DocumentOperationKind.Put ? HlcTimestamp.None : current.Born,
                delta);
        }
        for (int i = 0; i < _merged.Count; i++)
            batch.Write(_keys[i], _merged[i]);
        _run.Publish(batch, stamp, deltas, _keys);
        return stamp;
    }

    /// <summary>Applies a mutation of a peer, or declines it [R7]: what is declined is not claimed, and comes with a later pull.</summary>
    /// <returns>Whether the batch has it, so that it can be acknowledged.</returns>
    /// <exception cref="InvalidDataException">The mutation is not one that the peer can have made.</exception>
    /// <exception cref="ClockDriftException">Its stamp is too far ahead.</exception>
    public async ValueTask<bool> OnMutationAsync(ReplicaBatch batch, byte peer, Mutation mutation)
    {
        CheckMutation(peer, mutation);
        _clock.Observe(mutation.Stamp);
        if (!IsJoined)
            return false;
        if (batch.Knows(mutation.Stamp))
            return true;
        if (mutation.Stamp <= batch.Truncated.Top
            || !(_members.Heard.TryGetValue(peer, out var heard) && heard.Known.Covers(batch.Truncated)))
            return false;

        _keys.Clear();
        bool mayPurge = false;
        for (int i = 0; i < mutation.Deltas.Length; i++)
        {
            var delta = mutation.Deltas[i];
            _keys.Add(KeyOf(batch, delta.Name));
            if ((await batch.ReadAsync(_keys[i]).ConfigureAwait(false)).Born < delta.Base)
                return false;
            mayPurge |= delta.MayPurge;
        }
        for (int i = 0; i < _keys.Count; i++)
        {
            var document = mutation.Deltas[i].Document;
            if (!document.Born.IsNone)
                batch.NoteReplaced(_keys[i], await batch.ReadAsync(_keys[i]).ConfigureAwait(false), document);
            await batch.MergeAsync(_keys[i], document).ConfigureAwait(false);
        }
        batch.Claim(peer, mutation.Previous, mutation.Stamp);
        batch.Note(peer, heard.Run);
        batch.AddLog(mutation.Previous, mutation.Stamp, CollectionsMarshal.AsSpan(_keys), mayPurge);
        if (batch.HasReplaced)
            await WriteAgainAsync(batch).ConfigureAwait(false);
        return true;
    }

    /// <summary>
    /// The limit is on what the document becomes, whatever a single write adds; one that is larger already, by the merge of several nodes' writes, may
    /// still be changed in ways that do not make it grow [R17].
    /// </summary>
    ArgumentException TooLarge(DocumentOperation operation, int length) => new(
        $"The document {operation.Key} of the keyspace '{operation.Keyspace}' would have {length} bytes with this write. The limit is {_settings.MaxDocumentLength} "
            + $"({nameof(ReplicatedStoreOptions)}.{nameof(ReplicatedStoreOptions.MaxDocumentLength)}). Remove some of its content, or divide it into several documents.");

    async ValueTask CheckRequirementsAsync(ReplicaBatch batch, Transaction transaction)
    {
        foreach (var (name, key, isMet) in transaction.Requirements)
        {
            Document? shown = null;
            if (Catalog.Find(name) is { } keyspace)
            {
                var current = await batch.ReadAsync(batch.KeyOf(keyspace, key)).ConfigureAwait(false);
                shown = current.IsAlive(keyspace.Policy) ? current : null;
            }
            if (!isMet(shown))
                throw new TransactionConflictException(name, key);
        }
    }

    /// <summary>A document's storage key on this node, in the memory of the batch.</summary>
    ReadOnlyMemory<byte> KeyOf(ReplicaBatch batch, DocumentName name) =>
        batch.KeyOf(Catalog.FindOrAdd(name.Keyspace, name.Policy), new DocumentKey(name.Key));

    /// <summary>A document's name, for other nodes.</summary>
    DocumentName NameOf(ReadOnlyMemory<byte> documentKey) => NameOf(Catalog, documentKey);

    static DocumentName NameOf(KeyspaceCatalog catalog, ReadOnlyMemory<byte> documentKey)
    {
        var keyspace = catalog[StoreLayout.KeyspaceOf(documentKey.Span)];
        return new DocumentName(keyspace.Name, keyspace.Policy, documentKey[StoreLayout.DocumentPrefixLength..]);
    }

    /// <param name="operation">What is done.</param>
    /// <param name="current">The document that it is done to.</param>
    /// <param name="stamp">The stamp of the transaction.</param>
    /// <param name="settled">The counter shares of earlier runs of this replica whose stamps are in here are folded into the one of this run [R14].</param>
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
            // A counter is written to the share of this run on this put [R3].
            var path = DocumentPath.OfCounterShare(property, isPut ? stamp : current.Born, _run.Stamp).Encoded.Span;
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
    /// Removes the shares that earlier runs of this replica have in a counter, and returns their sum, so that the counter does not grow with restarts.
    /// </summary>
    /// <remarks>
    /// A share is folded once no other value of it can come: the gap of the earlier runs is closed, and every member is known to have the share. Who learns of
    /// the removal then knows the share, so that a full reconcile does not take a share that was folded and purged elsewhere for one that is missing there.
    /// </remarks>
    long Fold(Document current, string property, VersionVector settled, DocumentContentBuilder shares)
    {
        long sum = 0;
        byte[] name = Encoding.UTF8.GetBytes(property);
        foreach (var cell in current.Cells)
        {
            if (cell.Kind != DocumentPathKind.CounterShare || cell.IsRemoved || !cell.IsShown(current.Born)
                || cell.ShareRun.Node != Node || cell.ShareRun == _run.Stamp || !settled.Contains(cell.Stamp)
                || !cell.Property.SequenceEqual(name))
                continue;
            sum = unchecked(sum + CounterValue.Read(cell.Value));
            shares.Remove(cell.EncodedPath);
        }
        return sum;
    }

    async ValueTask<ReplicaBatch> StartAsync(IStorageSnapshot snapshot, CancellationToken cancellationToken)
    {
        Identity.Members[Node] = new StoreMember(Identity.StoreId, _settings.DataCenter, Identity.IsJoined);
        if (Identity.Retired.Contains(Identity.StoreId))
            _run.Exclude(RefusalReasons.Retired(Node));
        _clock.AdvanceTo(_limit.StartOfClock(_state, _settings.Time.GetUtcNow(), Boot));
        var batch = Begin(snapshot);
        batch.Extra.Put(StoreLayout.FormatKey, BitConverter.GetBytes(StoreLayout.Format));
        if (Identity.IsJoined)
            _run.Begin();
        else
            await TakeUpSeedAsync(snapshot, batch, cancellationToken).ConfigureAwait(false);
        Identity.IsDirty = true;
        return batch;
    }

    static async ValueTask CheckFormatAsync(IStorage storage, IStorageSnapshot snapshot, CancellationToken cancellationToken)
    {
        if (await snapshot.GetAsync(StoreLayout.FormatKey, cancellationToken).ConfigureAwait(false) is not { } bytes)
            return;
        uint format = bytes.Length == sizeof(uint) ? BitConverter.ToUInt32(bytes.Span) : throw new InvalidDataException("Its format number is damaged.");
        if (format > StoreLayout.Format)
        {
            throw new StorageException(StorageError.NewerFormat,
                $"The {storage.Description} has format {format}; this version of the library reads format {StoreLayout.Format}. Update the library.");
        }
        if (format < StoreLayout.Format)
        {
            throw new StorageException(StorageError.Failed,
                $"The {storage.Description} has format {format}, of a version from before the first release; this version reads format {StoreLayout.Format}. "
                    + "Nothing was changed in it. Move it away and start with an empty store, which the other nodes fill again.");
        }
    }

    static void CheckNode(byte node, ReplicaIdentity identity, IStorage storage)
    {
        if (identity.IsJoined && identity.Members.First(member => member.Value.StoreId == identity.StoreId).Key is var owner && owner != node)
        {
            throw new InvalidOperationException(
                $"The {storage.Description} belongs to node {owner}, and this is node {node}. Start the node with its own store, or with node id {owner}.");
        }
    }

    static void CheckMutation(byte peer, Mutation mutation)
    {
        var stamp = mutation.Stamp;
        if (stamp.Node != peer || mutation.Previous >= stamp || mutation.Previous.Node != peer)
            throw new InvalidDataException($"Node {peer} sent a transaction ({mutation.Previous}, {stamp}] that is not its own.");
        foreach (var (name, _, document) in mutation.Deltas)
        {
            bool isOfStamp = IsOrNone(document.Born, stamp) && IsOrNone(document.Touched, stamp) && IsOrNone(document.Died, stamp);
            foreach (var cell in document.Cells)
                isOfStamp &= cell.Stamp == stamp;
            Assertion.Find(document);
            if (!isOfStamp)
                throw new InvalidDataException($"Node {peer} sent a transaction {stamp} that writes to '{name.Keyspace}' under another stamp.");
        }

        static bool IsOrNone(HlcTimestamp found, HlcTimestamp expected) => found.IsNone || found == expected;
    }
}
