using Datacake.Crdt;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// The part of a replica that copies a member's data into a joining store, and continues the copy after a break [R12, R16].
/// </summary>
/// <remarks>
/// <para>
/// The copy, the seed, may break off after a document L of a snapshot at a cut C1. It can continue with a snapshot at a later cut C2, of
/// the same member or of another one. Taking only the documents after L from C2 would be wrong: the documents up to L would still show C1,
/// while the store claims to know C2. So the member of C2 first sends those documents up to L that have changed since: the ones that its
/// log names for the stamps in C2 that are not in the base. The base is the known set that every received document reflects. This is exact
/// under three conditions; if one of them does not hold, the copy starts over:
/// </para>
/// <list type="bullet">
/// <item>C2 covers C1; otherwise the copy would show what it does not claim.</item>
/// <item>
/// The base covers what C2 has truncated; otherwise a change might no longer be in the log, or a document might have been purged without a
/// trace.
/// </item>
/// <item>None of the members that it was copied from is retired; otherwise it may contain what all others have given up.</item>
/// </list>
/// <para>
/// Stamps that either cut has truncated count as truncated. Arriving documents are purged accordingly, and so are earlier ones if a later
/// cut has truncated more. The base becomes C2 with the first document after L, because only then have all changes of earlier documents
/// arrived.
/// </para>
/// </remarks>
/// <param name="catalog">The keyspaces of the store.</param>
/// <param name="maxStep">The maximum number of documents that are examined for purging in one batch.</param>
sealed class SeedCopier(KeyspaceCatalog catalog, int maxStep)
{
    /// <summary>
    /// The number of ticks that a broken-off copy waits for a member that can continue it, before it starts over with any member.
    /// </summary>
    const int MaxWaitTicks = 10;

    Seed? _seed;                // the progress of the copy; stored with it
    bool _isWhole;              // not stored: after a restart, the store asks for the changes since
    KeyRange? _unpurged;        // the part of a complete copy that was not examined for purging yet
    bool _mustWipe;             // the store may have documents of a copy that was given up
    int _waitTicks;

    /// <summary>True if the store holds part of a cluster's data, or of a copy that was given up.</summary>
    public bool HasPart => _seed is not null || _mustWipe;

    /// <summary>True if the copy is complete.</summary>
    public bool IsWhole => _isWhole;

    /// <summary>True if the copy is complete, but parts of it have yet to be purged.</summary>
    public bool MustPurge => _unpurged is not null;

    /// <summary>True if the copy is complete and purged, so that it can become the store.</summary>
    public bool IsReady => _isWhole && _unpurged is null;

    /// <summary>Gets the state of the store once it has joined with the copy.</summary>
    public ReplicaState Cut => _seed!.Cut;

    /// <summary>Gets the position from which to continue the copy, or null if there is nothing to continue.</summary>
    public SeedPosition? Position => _seed?.Position;

    /// <summary>Gets the number of received documents, their approximate total, and the member from which the last ones came.</summary>
    public (long Documents, long Estimated, byte? From) Progress { get; private set; }

    /// <summary>Returns true if a member with this known set covers everything received so far, so that it can continue the copy.</summary>
    public bool CanContinueWith(VersionVector known) => _seed is null || known.Covers(_seed.Cut.Known);

    /// <summary>Returns true if the copy may be requested from a member with this known set, even if that means starting over.</summary>
    public bool MayTakeFrom(VersionVector known) => CanContinueWith(known) || _waitTicks > MaxWaitTicks;

    /// <summary>Counts a tick in which no copy was requested.</summary>
    public void CountWait() => _waitTicks++;

    /// <summary>Records that a member was asked for the copy.</summary>
    public void OnAsked() => _waitTicks = 0;

    /// <summary>Takes a page of the copy.</summary>
    /// <returns>True if this makes the copy ready (<see cref="IsReady"/>).</returns>
    /// <exception cref="InvalidDataException">The page belongs to a snapshot that cannot continue the copy.</exception>
    public async ValueTask<bool> TakeAsync(
        ReplicaBatch batch, byte peer, ulong storeId, IReadOnlyList<ulong> ancestors, SnapshotPage page, CancellationToken cancellationToken)
    {
        if (page.Number == 0)
            await BeginAsync(batch, peer, storeId, ancestors, page, cancellationToken).ConfigureAwait(false);
        var seed = _seed!;
        foreach (var (name, document) in page.Documents)
        {
            var key = batch.KeyOf(name);
            await batch.MergeAsync(key, document).ConfigureAwait(false);
            if (page.Part != SnapshotPart.Whole)
                seed = await PurgeAsync(batch, key, seed).ConfigureAwait(false);
        }
        foreach (var (stamp, names) in page.Records)
        {
            if (!seed.Cut.Truncated.Contains(stamp))
                batch.AddLog(new LogTransaction(stamp, [.. names.Select(batch.KeyOf)]));
        }
        if (page.Part != SnapshotPart.Changed && page.Documents.Count > 0)
            seed = seed with { Base = page.State.Known, Last = page.Documents[^1].Name, Documents = seed.Documents + page.Documents.Count };
        Keep(batch, seed);
        Progress = (seed.Documents, page.Count, peer);
        batch.HasPulled = true;
        if (!page.IsLast)
            return false;
        _isWhole = true;
        if (seed.MustPurge)
            _unpurged = StoreLayout.AllDocuments;
        return IsReady;
    }

    /// <summary>Purges the next documents that were received before a later source had truncated more.</summary>
    /// <returns>True if this makes the copy ready (<see cref="IsReady"/>); false if there is more to do.</returns>
    public async ValueTask<bool> PurgeAsync(ReplicaBatch batch)
    {
        var range = _unpurged!.Value;
        var seed = _seed!;
        int count = 0;
        await foreach (var (key, _) in batch.Snapshot.ReadAllAsync(range).ConfigureAwait(false))
        {
            byte[] documentKey = key.ToArray();
            seed = await PurgeAsync(batch, documentKey, seed).ConfigureAwait(false);
            if (++count == maxStep)
            {
                _unpurged = range.After(documentKey);
                Keep(batch, seed);
                return false;
            }
        }
        await foreach (var record in TransactionLog.ReadAllAsync(batch.Snapshot).ConfigureAwait(false))
            batch.TruncateLog(record, seed.Cut.Truncated);
        _unpurged = null;
        Keep(batch, seed);
        return true;
    }

    /// <summary>Ends the copy, because the store joins with it.</summary>
    /// <returns>The ancestors: the stores that the copy came from, directly or through others.</returns>
    public IReadOnlyList<ulong> Complete(ReplicaBatch batch)
    {
        var ancestors = _seed!.Ancestors;
        batch.Extra.Delete(StoreLayout.SeedKey);
        (_seed, _isWhole) = (null, false);
        return ancestors;
    }

    /// <summary>Reads the copy's progress as it is stored: at the start, and after a commit that failed.</summary>
    public async ValueTask ReadAsync(IStorageSnapshot snapshot)
    {
        var stored = await snapshot.GetAsync(StoreLayout.SeedKey).ConfigureAwait(false);
        (_isWhole, _unpurged) = (false, null);
        _seed = stored is { } bytes ? Seed.Decode(bytes) : null;
        Progress = (_seed?.Documents ?? 0, 0, null);
        _mustWipe = _seed is null && (await SnapshotReading.ScanKeysAsync(snapshot, StoreLayout.AllDocuments, 1, CancellationToken.None).ConfigureAwait(false)).Count > 0;
    }

    /// <summary>Prepares a store that has not joined when a process opens it: continues the copy, or begins with an empty store.</summary>
    /// <returns>True if the store is empty and holds no data of any cluster.</returns>
    public async ValueTask<bool> TakeUpAsync(ReplicaBatch batch, CancellationToken cancellationToken)
    {
        bool isEmpty = _seed is null;
        if (isEmpty)
            await WipeAsync(batch, cancellationToken).ConfigureAwait(false);
        _mustWipe = false;
        batch.State = ReplicaState.Empty;
        return isEmpty;
    }

    /// <summary>
    /// Gives up a copy that came from a store which is now known to be retired: it may contain what the other members have given up.
    /// </summary>
    /// <returns>True if the copy was given up.</returns>
    public bool DropRetired(RetiredStores retired)
    {
        if (_seed is not { } seed || !seed.Sources.Any(retired.Contains))
            return false;
        GiveUp();
        return true;
    }

    /// <summary>Gives up the copy. The next one begins with an empty store.</summary>
    public void GiveUp()
    {
        (_seed, _isWhole, _unpurged) = (null, false, null);
        _mustWipe = true;
    }

    async ValueTask BeginAsync(
        ReplicaBatch batch, byte peer, ulong storeId, IReadOnlyList<ulong> ancestors, SnapshotPage page, CancellationToken cancellationToken)
    {
        if (page.Part == SnapshotPart.Whole)
        {
            if (HasPart)
                await WipeAsync(batch, cancellationToken).ConfigureAwait(false);
            _mustWipe = false;
            _seed = Seed.Begin(page.State).From(storeId, ancestors);
            return;
        }
        if (_seed?.Position?.CanContinueAt(page.State) != true)
            throw new InvalidDataException($"Node {peer} continued the copy of the cluster's data with a snapshot that does not fit the data received so far.");
        batch.State = ReplicaState.Empty;
        _seed = _seed.ContinueAt(page.State).From(storeId, ancestors);
    }

    void Keep(ReplicaBatch batch, Seed seed)
    {
        _seed = seed;
        batch.Extra.Put(StoreLayout.SeedKey, seed.Encode());
    }

    /// <summary>Purges a document by what either cut has truncated: each source may have truncated only a part of it.</summary>
    static async ValueTask<Seed> PurgeAsync(ReplicaBatch batch, ReadOnlyMemory<byte> key, Seed seed)
    {
        var document = await batch.PeekAsync(key).ConfigureAwait(false);
        var left = DocumentPurge.Apply(document, seed.Cut.Truncated, batch.PolicyOf(key));
        if (ReferenceEquals(left, document))
            return seed;
        await batch.ReadAsync(key).ConfigureAwait(false);
        batch.Write(key, left);
        return seed with { Cut = seed.Cut with { Purged = HlcTimestamp.Max(seed.Cut.Purged, DocumentPurge.MarkOf(document)) } };
    }

    /// <summary>Deletes all data of a store that has not joined.</summary>
    async ValueTask WipeAsync(ReplicaBatch batch, CancellationToken cancellationToken)
    {
        foreach (var range in (KeyRange[])[StoreLayout.AllDocuments, StoreLayout.AllLog, StoreLayout.AllIndexEntries])
            await DeleteRangeAsync(batch, range, cancellationToken).ConfigureAwait(false);
        foreach (var keyspace in catalog.All)
        {
            var change = batch.Change(keyspace);
            change.State = change.State with { Record = change.State.Record with { Count = 0, Fingerprint = 0 } };
        }
        batch.Extra.Delete(StoreLayout.SeedKey);
        batch.Wipe();
    }

    static async ValueTask DeleteRangeAsync(ReplicaBatch batch, KeyRange range, CancellationToken cancellationToken)
    {
        await foreach (var key in batch.Snapshot.ReadKeysAsync(range, cancellationToken).ConfigureAwait(false))
            batch.Extra.Delete(key.ToArray());
    }
}
