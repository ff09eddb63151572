using Datacake.Crdt;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Replication;

/// <summary>The part of a replica that takes the copy of a member's data with which a store joins, and continues it after a break [R12, R16].</summary>
/// <remarks>
/// <para>
/// A copy that broke off after document L, part way through a snapshot at the cut C1, goes on with a snapshot at a later cut C2, of the same member or of
/// another. Taking only the documents after L from C2 would be wrong: those up to L would show C1 still, while the store claims to know C2. So C2's
/// member first sends those of them that have changed since: that its log names for the stamps that C2 knows and the base, which all that has come
/// reflects, does not. Three conditions make this exact, and the copy begins anew if they do not hold:
/// </para>
/// <list type="bullet">
/// <item>C2 knows all that C1 did: else the copy would show what it does not claim;</item>
/// <item>the base covers what C2 has truncated: else a change might no longer be in its log, or a document be purged without a trace;</item>
/// <item>none of the members that it comes from is retired: else it may have what all others have given up.</item>
/// </list>
/// <para>
/// What either cut has truncated counts as truncated: what comes is purged accordingly, and, where a later cut has truncated more, what has come before.
/// The base becomes C2 once the first document after L has come, for only then has all that changed before it.
/// </para>
/// </remarks>
/// <param name="catalog">The keyspaces of the store.</param>
/// <param name="maxStep">The limit of the documents that are looked through in one batch.</param>
sealed class SeedTaker(KeyspaceCatalog catalog, int maxStep)
{
    /// <summary>So many ticks a copy that broke off waits for a member that it can go on with, before it begins anew with any.</summary>
    const int MaxWaitTicks = 10;

    Seed? _seed;                // what has come of the copy; stored with it
    bool _isWhole;              // all of it has come; not stored: a process that starts again asks for what has changed since
    KeyRange? _unpurged;        // what has yet to be looked through, of a copy that is whole
    bool _mustWipe;             // the store may have documents of a copy that is given up
    int _waitTicks;

    /// <summary>True if the store has some of a cluster's data, or of a copy that is given up.</summary>
    public bool HasPart => _seed is not null || _mustWipe;

    /// <summary>True if all of the copy has come.</summary>
    public bool IsWhole => _isWhole;

    /// <summary>True if all of the copy has come, and parts of it have yet to be purged.</summary>
    public bool MustPurge => _unpurged is not null;

    /// <summary>True if the copy is as it should be, and can become the store.</summary>
    public bool IsReady => _isWhole && _unpurged is null;

    /// <summary>Gets what the store knows once it has joined with the copy.</summary>
    public ReplicaState Cut => _seed!.Cut;

    /// <summary>Gets the place to go on with the copy, or null if there is nothing to go on with.</summary>
    public SeedPosition? Position => _seed?.Position;

    /// <summary>Gets the number of documents of the copy that have come, about how many there are, and from whom the last ones came.</summary>
    public (long Documents, long Estimated, byte? From) Progress { get; private set; }

    /// <summary>Returns true if a member with this knowledge has all that has come of a copy that broke off.</summary>
    public bool CanGoOnWith(VersionVector known) => _seed is null || known.Covers(_seed.Cut.Known);

    /// <summary>Returns true if the copy may be taken from a member with this knowledge, also if that means to begin anew.</summary>
    public bool MayTakeFrom(VersionVector known) => CanGoOnWith(known) || _waitTicks > MaxWaitTicks;

    /// <summary>Counts a tick in which nothing was asked for.</summary>
    public void CountWait() => _waitTicks++;

    /// <summary>Takes note that a member was asked for the copy.</summary>
    public void OnAsked() => _waitTicks = 0;

    /// <summary>Takes a part of the copy.</summary>
    /// <returns>True if the copy <see cref="IsReady"/> with it.</returns>
    /// <exception cref="InvalidDataException">The part goes on with a snapshot that cannot continue the copy.</exception>
    public async ValueTask<bool> TakeAsync(ReplicaBatch batch, byte peer, Session source, SnapshotPage page, CancellationToken cancellationToken)
    {
        if (page.Number == 0)
            await BeginAsync(batch, peer, source, page, cancellationToken).ConfigureAwait(false);
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

    /// <summary>Takes one step of purging what came before a source that has truncated more.</summary>
    /// <returns>True if the copy <see cref="IsReady"/> with it, false if there is more to do.</returns>
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

    /// <summary>The store joins with the copy, which is no longer one.</summary>
    /// <returns>The stores that the copy came from, directly or through others.</returns>
    public IReadOnlyList<ulong> Complete(ReplicaBatch batch)
    {
        var ancestors = _seed!.Ancestors;
        batch.Extra.Delete(StoreLayout.SeedKey);
        (_seed, _isWhole) = (null, false);
        return ancestors;
    }

    /// <summary>Takes up the copy as it is stored, at the start and after a commit that was not stored.</summary>
    public async ValueTask ReadAsync(IStorageSnapshot snapshot)
    {
        var stored = await snapshot.GetAsync(StoreLayout.SeedKey).ConfigureAwait(false);
        (_isWhole, _unpurged) = (false, null);
        _seed = stored is { } bytes ? Seed.Decode(bytes) : null;
        Progress = (_seed?.Documents ?? 0, 0, null);
        _mustWipe = _seed is null && (await SnapshotReading.ScanKeysAsync(snapshot, StoreLayout.AllDocuments, 1, CancellationToken.None).ConfigureAwait(false)).Count > 0;
    }

    /// <summary>A process starts on a store that has not joined: goes on with what has come, or begins with an empty store.</summary>
    /// <returns>True if the store is empty, and has nothing of any cluster.</returns>
    public async ValueTask<bool> TakeUpAsync(ReplicaBatch batch, CancellationToken cancellationToken)
    {
        bool isEmpty = _seed is null;
        if (isEmpty)
            await WipeAsync(batch, cancellationToken).ConfigureAwait(false);
        _mustWipe = false;
        batch.State = ReplicaState.Empty;
        return isEmpty;
    }

    /// <summary>Gives up a copy with data of a member that is retired and had not heard of it: it may have what the others have given up.</summary>
    /// <returns>True if the copy was given up.</returns>
    public bool DropRetired(RetiredStores retired)
    {
        if (_seed is not { } seed || !seed.Sources.Any(retired.Contains))
            return false;
        GiveUp();
        return true;
    }

    /// <summary>Gives up what has come of a copy; the next one begins with an empty store.</summary>
    public void GiveUp()
    {
        (_seed, _isWhole, _unpurged) = (null, false, null);
        _mustWipe = true;
    }

    async ValueTask BeginAsync(ReplicaBatch batch, byte peer, Session source, SnapshotPage page, CancellationToken cancellationToken)
    {
        if (page.Part == SnapshotPart.Whole)
        {
            if (HasPart)
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

    void Keep(ReplicaBatch batch, Seed seed)
    {
        _seed = seed;
        batch.Extra.Put(StoreLayout.SeedKey, seed.Encode());
    }

    /// <summary>Purges a document of what either cut has truncated, though the members may each have had a part of that only.</summary>
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

    /// <summary>Empties a store that has not joined.</summary>
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
