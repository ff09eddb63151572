using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Replication;

// The copy of the cluster's data with which a store joins, and how it goes on after a break [R12, R16].
//
// A copy that broke off after document L, part way through a snapshot at the cut C1, goes on with a snapshot at a later cut C2, of the same member or of
// another. Taking only the documents after L from C2 would be wrong: those up to L would show C1 still, while the store claims to know C2. So C2's
// member first sends those of them that have changed since: that its log names for the stamps that C2 knows and the base, which all that has come
// reflects, does not. Three conditions make this exact, and the copy begins anew if they do not hold:
//   - C2 knows all that C1 did: else the copy would show what it does not claim;
//   - the base covers what C2 has truncated: else a change might no longer be in its log, or a document be purged without a trace;
//   - none of the members that it comes from is retired: else it may have what all others have given up.
// What either cut has truncated counts as truncated: what comes is purged accordingly, and, where a later cut has truncated more, what has come before.
// The base becomes C2 once the first document after L has come, for only then has all that changed before it.
sealed partial class Replica
{
    /// <summary>So many ticks a copy that broke off waits for a member that it can go on with, before it begins anew with any.</summary>
    const int MaxSeedWaitTicks = 10;

    Seed? _seed;                // what has come of the copy; stored with it
    bool _isSeedWhole;          // all of it has come; not stored: a process that starts again asks for what has changed since
    KeyRange? _unpurged;        // what has yet to be looked through, of a copy that is whole
    bool _mustWipe;             // the store may have documents of a copy that is given up
    int _seedWaitTicks;

    /// <summary>Whether the store, which has not joined, has some of a cluster's data, so that it must not form another.</summary>
    public bool HasPartOfSeed => _seed is not null || _mustWipe;

    /// <summary>Whether all of the copy has come.</summary>
    public bool IsSeedWhole => _isSeedWhole;

    /// <summary>How many documents of the copy have come, about how many there are, and from whom the last ones came.</summary>
    public (long Documents, long Estimated, byte? From) SeedProgress { get; private set; }

    bool NeedsSeed => !IsJoined && !_isSeedWhole;

    async ValueTask TakeAsSeedAsync(ReplicaBatch batch, byte peer, SnapshotPage page, CancellationToken cancellationToken)
    {
        if (page.Number == 0)
            await StartSeedAsync(batch, peer, page, cancellationToken).ConfigureAwait(false);
        var seed = _seed!;
        foreach (var (name, document) in page.Documents)
        {
            var key = KeyOf(batch, name);
            await batch.MergeAsync(key, document).ConfigureAwait(false);
            if (page.Part != SnapshotPart.Whole)
                seed = await PurgeAsync(batch, key, seed).ConfigureAwait(false);
        }
        foreach (var (stamp, names) in page.Records)
        {
            if (!seed.Cut.Truncated.Contains(stamp))
                batch.AddLog(new LogTransaction(stamp, [.. names.Select(name => KeyOf(batch, name))]));
        }
        if (page.Part != SnapshotPart.Changed && page.Documents.Count > 0)
            seed = seed with { Base = page.State.Known, Last = page.Documents[^1].Name, Documents = seed.Documents + page.Documents.Count };
        KeepSeed(batch, seed);
        SeedProgress = (seed.Documents, page.Count, peer);
        batch.HasPulled = true;
        if (!page.IsLast)
            return;
        _isSeedWhole = true;
        if (seed.MustPurge)
            _unpurged = StoreLayout.AllDocuments;
        else
            FinishSeed(batch);
    }

    async ValueTask StartSeedAsync(ReplicaBatch batch, byte peer, SnapshotPage page, CancellationToken cancellationToken)
    {
        var source = Sessions[peer];
        if (page.Part == SnapshotPart.Whole)
        {
            if (HasPartOfSeed)
                await WipeAsync(batch, cancellationToken).ConfigureAwait(false);
            _mustWipe = false;
            _seed = Seed.Begin(page.State).From(source);
            return;
        }
        if (_seed?.Position?.CanGoOnAt(page.State) != true)
            throw new InvalidDataException($"Node {peer} goes on with a snapshot that it cannot go on with.");
        batch.State = ReplicaState.Empty;
        _seed = _seed.GoOnAt(page.State).From(source);
    }

    void KeepSeed(ReplicaBatch batch, Seed seed)
    {
        _seed = seed;
        batch.Extra.Put(StoreLayout.SeedKey, seed.Encode());
    }

    /// <summary>One step of purging what came before a source that has truncated more.</summary>
    /// <returns>Whether there is more to do.</returns>
    async ValueTask<bool> PurgeSeedAsync(ReplicaBatch batch)
    {
        if (_unpurged is not { } range)
            return false;
        var seed = _seed!;
        int count = 0;
        await foreach (var (key, _) in batch.Snapshot.ReadAllAsync(range).ConfigureAwait(false))
        {
            byte[] documentKey = key.ToArray();
            seed = await PurgeAsync(batch, documentKey, seed).ConfigureAwait(false);
            if (++count == _settings.MaxStep)
            {
                _unpurged = range.After(documentKey);
                KeepSeed(batch, seed);
                return true;
            }
        }
        await foreach (var record in TransactionLog.ReadAllAsync(batch.Snapshot).ConfigureAwait(false))
            batch.TruncateLog(record, seed.Cut.Truncated);
        _unpurged = null;
        KeepSeed(batch, seed);
        FinishSeed(batch);
        return false;
    }

    /// <summary>Purges a document of what either cut has truncated, though the members may each have had a part of that only.</summary>
    async ValueTask<Seed> PurgeAsync(ReplicaBatch batch, ReadOnlyMemory<byte> key, Seed seed)
    {
        var document = await batch.PeekAsync(key).ConfigureAwait(false);
        var left = DocumentPurge.Apply(document, seed.Cut.Truncated, Catalog[StoreLayout.KeyspaceOf(key.Span)].Policy);
        if (ReferenceEquals(left, document))
            return seed;
        await batch.ReadAsync(key).ConfigureAwait(false);
        batch.Write(key, left);
        return seed with { Cut = seed.Cut with { Purged = HlcTimestamp.Max(seed.Cut.Purged, DocumentPurge.MarkOf(document)) } };
    }

    /// <summary>All has come, and is as it should be: takes it as the store, and joins, or asks all members first.</summary>
    void FinishSeed(ReplicaBatch batch)
    {
        batch.State = _seed!.Cut;
        if (Identity.MayHaveEarlierLife)
            StartRoll(batch);
        else
            Join(batch);
    }

    /// <summary>A process starts on a store that has not joined: goes on with what has come, or begins with nothing.</summary>
    async ValueTask TakeUpSeedAsync(IStorageSnapshot snapshot, ReplicaBatch batch, CancellationToken cancellationToken)
    {
        await ReadSeedAsync(snapshot).ConfigureAwait(false);
        if (_seed is null)
        {
            // It has nothing of the cluster that it met before, which may have been another one than is meant.
            Identity.Cluster = 0;
            await WipeAsync(batch, cancellationToken).ConfigureAwait(false);
        }
        _mustWipe = false;
        batch.State = ReplicaState.Empty;
    }

    /// <summary>Takes up the copy as it is stored, at the start and after a commit that was not stored.</summary>
    async ValueTask ReadSeedAsync(IStorageSnapshot snapshot)
    {
        var stored = await snapshot.GetAsync(StoreLayout.SeedKey).ConfigureAwait(false);
        Unjoin();
        _seed = stored is { } bytes ? Seed.Decode(bytes) : null;
        SeedProgress = (_seed?.Documents ?? 0, 0, null);
        _mustWipe = _seed is null && (await snapshot.ScanAsync(StoreLayout.AllDocuments, ScanDirection.Forward, 1).ConfigureAwait(false)).Count > 0;
        DropRetiredSeed();
    }

    /// <summary>Gives up a copy with data of a member that is retired and had not heard of it: it may have what the others have given up.</summary>
    void DropRetiredSeed()
    {
        if (_seed is not { } seed || !seed.Sources.Any(Identity.Retired.Contains))
            return;
        Unjoin();
        _seed = null;
        _mustWipe = true;
        _pulls.Clear();
    }

    void Unjoin()
    {
        Identity.IsJoined = false;
        _run = _previous = HlcTimestamp.None;
        _isSeedWhole = false;
        _unpurged = null;
        _roll = null;
    }

    /// <summary>Empties a store that has not joined.</summary>
    async ValueTask WipeAsync(ReplicaBatch batch, CancellationToken cancellationToken)
    {
        foreach (var range in (KeyRange[])[StoreLayout.AllDocuments, StoreLayout.AllLog, StoreLayout.AllIndexEntries])
            await DeleteRangeAsync(batch, range, cancellationToken).ConfigureAwait(false);
        foreach (var keyspace in Catalog.All)
        {
            var change = batch.Change(keyspace);
            change.State = change.State with { Record = change.State.Record with { Count = 0, Fingerprint = 0 } };
        }
        batch.Extra.Delete(StoreLayout.SeedKey);
        batch.Wipe();
    }

    static async ValueTask DeleteRangeAsync(ReplicaBatch batch, KeyRange range, CancellationToken cancellationToken)
    {
        await foreach (var (key, _) in batch.Snapshot.ReadAllAsync(range, cancellationToken).ConfigureAwait(false))
            batch.Extra.Delete(key.ToArray());
    }
}
