using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Replication;

// Following: the store of a follower takes over what a member has, and issues no stamps [R21].
sealed partial class Replica
{
    /// <summary>The time after which a follower that does not get on with its sources asks for a new copy, and the shortest time between two of them.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    FollowedCopy? _copy;                // the whole copy that is stored; null before there is one
    ulong _following;                   // the number of the current connection to a source; messages of earlier ones are ignored
    bool _isFollowing;                  // false once a message of the connection could not be stored: what follows it would leave a gap
    PullProgress? _followed;            // the difference of which parts have arrived
    int _nextPart;
    bool _isTakingAside;                // a snapshot that is to replace the copy is arriving
    VersionVector _sourceTruncated = VersionVector.Empty;
    bool _differsFromSource;            // a new copy is asked for
    long? _differedAt;                  // when that was last so, as a timestamp
    long? _aheadSince;                  // since when the source lacks something that is known here, as a timestamp
    (VersionVector Known, long At)? _expected;      // what the source has, and since when nothing of it has come, as a timestamp
    long? _declinedSince;               // since when no source has answered, because it lacks something that is discarded here, as a timestamp

    /// <summary>True if the store follows members without being one.</summary>
    public bool IsFollower => _settings.FollowedKeyspaces is not null;

    /// <summary>True if the store can be read: it has joined, or has a whole copy of what it follows.</summary>
    public bool IsReadable => IsJoined || _copy is not null;

    /// <summary>True if a follower has to finish with a snapshot that it was sent before it can follow: to purge a first copy, or to clear away what a later one has left.</summary>
    public bool MustFinishBeforeFollowing => _copy is null ? _seedCopier.IsWhole : _reconciler.MayHavePart;

    /// <summary>True if the last connection was ended because something never came that the source has.</summary>
    public bool HasMissed { get; private set; }

    /// <summary>Begins a connection to a source: whatever an earlier one has left unfinished is dropped.</summary>
    /// <returns>The number of the connection, and its first message.</returns>
    public (ulong Connection, FollowRequest Request) BeginFollowing()
    {
        EndFollowing(_following);
        _isFollowing = true;
        HasMissed = false;
        bool isFresh = _copy is null;
        bool isFull = !isFresh && _differsFromSource;
        // What is replaced does not matter, so that the source need not know it.
        var state = isFull ? ReplicaState.Empty : _state;
        var request = new FollowRequest(
            Protocol, _settings.ClusterId, Identity.Cluster, Identity.StoreId, state.Known, state.Truncated, isFresh, isFresh ? _seedCopier.Position : null, isFull, _settings.FollowedKeyspaces!);
        return (++_following, request);
    }

    /// <summary>Ends a connection to a source.</summary>
    public void EndFollowing(ulong connection)
    {
        if (connection != _following)
            return;
        _isFollowing = _isTakingAside = false;
        _followed = null;
        _aheadSince = null;
        _expected = null;
    }

    /// <summary>True if a follower shows something else than its source, though the two know the same, and asks for a new copy.</summary>
    public bool DiffersFromSource => _differsFromSource;

    /// <summary>
    /// Notes that a source has declined, or sent something too old, because it lacks what this store has discarded. If all sources do for long, what they lack came from a store that was
    /// retired, and a new copy is needed.
    /// </summary>
    public void OnSourceLacksDiscarded()
    {
        _declinedSince ??= _settings.Time.GetTimestamp();
        _differsFromSource |= _settings.Time.GetElapsedTime(_declinedSince.Value) >= Patience;
    }

    /// <summary>Processes a message of a source, and ignores it if the connection is no longer the current one.</summary>
    /// <returns>False if the connection is over.</returns>
    /// <exception cref="InvalidDataException">No correct member can have sent the message.</exception>
    public async ValueTask<bool> FollowAsync(ReplicaBatch batch, ulong connection, SourceState source, ReplicaMessage message, CancellationToken cancellationToken)
    {
        if (connection != _following || !_isFollowing)
            return false;
        switch (message)
        {
            case SourceState state:
                if (!state.Known.Covers(state.Truncated))
                    throw new InvalidDataException($"Node {source.Node} has truncated stamps outside its known set.");
                if (!TakeOverCluster(state.Cluster))
                    throw new InvalidDataException($"Node {source.Node} belongs to another cluster than the copy that this store has.");
                _sourceTruncated = state.Truncated;
                if (MustCopyAgain(batch, state) || MustAskAgain(state))
                {
                    EndFollowing(connection);
                    return false;
                }
                break;
            case Chunk chunk:
                _expected = null;
                await TakeFollowedAsync(batch, source, chunk).ConfigureAwait(false);
                break;
            case SnapshotPage { Number: 0 } when _copy is not null && _reconciler.MayHavePart:
                // What an earlier snapshot has left must not become a part of this one.
                EndFollowing(connection);
                return false;
            case SnapshotPage page:
                _expected = null;
                await TakeFollowedAsync(batch, source, page, cancellationToken).ConfigureAwait(false);
                // A first copy that has to be purged is not finished yet, and the next difference must be asked for against it.
                if (_copy is null && _seedCopier.IsWhole)
                {
                    EndFollowing(connection);
                    return false;
                }
                break;
            default:
                throw new InvalidDataException($"A message of the type {message.GetType().Name} is not valid for a follower.");
        }
        return true;
    }

    /// <summary>
    /// Compares the copy with the source. A member that lost the tail of its commits may have sent it to followers before, and claims the same stamps later, without what only followers have. What
    /// came from a store that was retired may never come to its members. In these cases, or after damage, a new copy is needed; but no more than one a minute, whatever the cause is.
    /// </summary>
    bool MustCopyAgain(ReplicaBatch batch, SourceState source)
    {
        if (_copy is null || HasArrived || !batch.State.Known.Equals(_state.Known))
            return false;
        bool isAhead = !source.Known.Covers(_state.Known);
        _aheadSince = isAhead ? _aheadSince ?? _settings.Time.GetTimestamp() : null;
        bool differs = source.Known.Equals(_state.Known) ? source.Fingerprint != Catalog.Fingerprint : _aheadSince is { } ahead && _settings.Time.GetElapsedTime(ahead) >= Patience;
        if (!differs || (_differedAt is { } last && _settings.Time.GetElapsedTime(last) < Patience))
            return false;
        _differedAt = _settings.Time.GetTimestamp();
        return _differsFromSource = true;
    }

    /// <summary>Returns true if something that the source has does not come, though nothing else does either. No rule allows that; to ask again costs little.</summary>
    bool MustAskAgain(SourceState source)
    {
        var patience = TimeSpan.FromSeconds(10);
        if (_copy is null || _isTakingAside || HasArrived || (_expected is { } expected && _state.Known.Covers(expected.Known)))
            _expected = null;
        else if (!_state.Known.Covers(source.Known))
            _expected ??= (source.Known, _settings.Time.GetTimestamp());
        return HasMissed = _expected is { } late && _settings.Time.GetElapsedTime(late.At) >= patience;
    }

    /// <summary>Takes a part of a difference. The source sends one after another, each against what the one before it has brought.</summary>
    async ValueTask TakeFollowedAsync(ReplicaBatch batch, SourceState source, Chunk chunk)
    {
        Plausibility.CheckContent(source.Node, chunk);
        if (_copy is null)
            throw new InvalidDataException($"Node {source.Node} sent changes before a whole copy.");
        // What is older than something that was purged here would come back.
        if (!chunk.Source.Covers(batch.State.Truncated))
        {
            OnSourceLacksDiscarded();
            throw new InvalidDataException($"Node {source.Node} lacks transactions that this store has discarded because all members have them.");
        }
        _declinedSince = null;
        if (chunk.Number == 0)
            (_followed, _nextPart) = (new PullProgress(pull: 0, batch.State.Known, isFull: false, _settings.MaxStagedLength), 0);
        if (_followed is null || chunk.Number != _nextPart++)
            throw new InvalidDataException($"Node {source.Node} left out a part of a difference.");
        await _followed.TakeAsync(batch, chunk).ConfigureAwait(false);
        batch.TakeReplaced();                               // a follower has written nothing that it could write again
    }

    /// <summary>Takes a page of a snapshot: into the store if it has no whole copy yet; otherwise, sets it aside until it can replace the copy.</summary>
    async ValueTask TakeFollowedAsync(ReplicaBatch batch, SourceState source, SnapshotPage page, CancellationToken cancellationToken)
    {
        Plausibility.CheckContent(source.Node, page);
        if (page.Cluster != Identity.Cluster)
            throw new InvalidDataException($"Node {source.Node} sent a snapshot of another cluster.");
        if (_copy is null)
        {
            if (!_seedCopier.IsWhole
                && await _seedCopier.TakeAsync(batch, source.Node, source.StoreId, [], page, cancellationToken).ConfigureAwait(false))
            {
                FinishSeed(batch);
            }
            return;
        }
        if (page.Part != SnapshotPart.Whole || page.Number != (_isTakingAside ? _nextPart : 0))
            throw new InvalidDataException($"Node {source.Node} left out a part of a snapshot.");
        _isTakingAside = !page.IsLast;
        _differsFromSource &= !page.IsLast;
        _declinedSince = null;
        _nextPart = page.Number + 1;
        _reconciler.TakeAside(batch, source.Node, page);
    }

    /// <summary>Makes the complete copy the store, which can be read from now on.</summary>
    void FinishCopy(ReplicaBatch batch)
    {
        _seedCopier.Complete(batch);
        Keep(batch, new FollowedCopy(_settings.FollowedKeyspaces!));
    }

    void Keep(ReplicaBatch batch, FollowedCopy copy)
    {
        _copy = copy;
        batch.Extra.Put(StoreLayout.FollowedKey, copy.Encode());
        batch.MustWriteState = true;
    }

    /// <summary>Does the periodic work of a follower: truncates and purges what its source has truncated, since it is then known to all members.</summary>
    async ValueTask<bool> CollectFollowedAsync(ReplicaBatch batch)
    {
        if (_copy is null)
            return await PurgeSeedAsync(batch).ConfigureAwait(false);
        // What a batch replaces is not known before it is committed.
        if (batch.IsReconciled)
            return true;
        var stable = _sourceTruncated.Intersect(_state.Known);
        bool hasMore = await _collector.CollectAsync(batch, stable, stable.Top).ConfigureAwait(false);
        hasMore |= await _expirer.StepAsync(batch).ConfigureAwait(false);
        return hasMore || IsClearing;
    }

    /// <summary>
    /// Prepares the store when a process opens it: continues with a copy that fits the settings, or begins anew. A member that becomes a follower would lose the
    /// writes that only it has, so it is refused.
    /// </summary>
    /// <exception cref="InvalidOperationException">The store is that of a member, and is to follow.</exception>
    async ValueTask TakeUpCopyAsync(IStorageSnapshot snapshot, ReplicaBatch batch, CancellationToken cancellationToken)
    {
        await ReadCopyAsync(snapshot).ConfigureAwait(false);
        if (_copy is not null && _settings.FollowedKeyspaces is { } keyspaces && _copy.Keyspaces.SequenceEqual(keyspaces))
            return;
        // A former follower that becomes a member, or follows other keyspaces, copies everything anew.
        if (_copy is not null)
            batch.Extra.Delete(StoreLayout.FollowedKey);
        _copy = null;
        await TakeUpSeedAsync(snapshot, batch, cancellationToken).ConfigureAwait(false);
    }

    async ValueTask ReadCopyAsync(IStorageSnapshot snapshot) =>
        _copy = await snapshot.GetAsync(StoreLayout.FollowedKey).ConfigureAwait(false) is { } copy ? FollowedCopy.Decode(copy) : null;
}
