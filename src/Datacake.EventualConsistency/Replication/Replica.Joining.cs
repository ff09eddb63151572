using Datacake.Crdt;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Replication;

// Joining a cluster, with the roll calls that a join or a gap needs [R12, R14].
sealed partial class Replica
{
    Roll? _roll;
    ulong _lastRoll;

    /// <summary>True if the store, which has not joined, has some of a cluster's data, so that it must not form another.</summary>
    public bool HasPartOfSeed => _seedTaker.HasPart;

    /// <inheritdoc cref="SeedTaker.IsWhole"/>
    public bool IsSeedWhole => _seedTaker.IsWhole;

    /// <inheritdoc cref="SeedTaker.Progress"/>
    public (long Documents, long Estimated, byte? From) SeedProgress => _seedTaker.Progress;

    /// <summary>True if the store waits with a copy of a member's data for further members to answer.</summary>
    public bool IsWaitingForRoll => _seedTaker.IsReady;

    /// <summary>The members that a joining store waits for, as far as it knows them.</summary>
    public IEnumerable<byte> AwaitedMembers => _members.Absent(Sessions);

    /// <summary>Declares this store the first of a new cluster, unless it has joined one or has something of one.</summary>
    public void Bootstrap()
    {
        if (IsJoined || HasPartOfSeed)
            return;
        Identity.Cluster = _settings.FreshId;
        StartAsMember();
    }

    void StartAsMember()
    {
        _puller.EndAll();                                                         // what was asked for to join is not what a member needs
        Identity.IsJoined = Identity.IsDirty = true;
        Identity.Members[Node] = Identity.Members[Node] with { HasJoined = true };
        _run.Begin();
    }

    /// <summary>Takes one step of purging the copy with which the store joins, if that is due; returns true if there is more to do.</summary>
    async ValueTask<bool> PurgeSeedAsync(ReplicaBatch batch)
    {
        if (!_seedTaker.MustPurge)
            return false;
        bool isReady = await _seedTaker.PurgeAsync(batch).ConfigureAwait(false);
        if (isReady)
            FinishSeed(batch);
        return !isReady;
    }

    /// <summary>All has come, and is as it should be: takes it as the store, and joins, or asks all members first.</summary>
    void FinishSeed(ReplicaBatch batch)
    {
        batch.State = _seedTaker.Cut;
        if (Identity.MayHaveEarlierLife)
            StartRoll(batch);
        else
            Join(batch);
    }

    void Join(ReplicaBatch batch)
    {
        Identity.Ancestors.UnionWith(_seedTaker.Complete(batch));
        _roll = null;
        StartAsMember();
    }

    /// <summary>Takes up the copy as it is stored, at the start and after a commit that was not stored.</summary>
    async ValueTask ReadSeedAsync(IStorageSnapshot snapshot)
    {
        Unjoin();
        await _seedTaker.ReadAsync(snapshot).ConfigureAwait(false);
        DropRetiredSeed();
    }

    /// <summary>A process starts on a store that has not joined: goes on with what has come of the copy, or begins with nothing.</summary>
    async ValueTask TakeUpSeedAsync(IStorageSnapshot snapshot, ReplicaBatch batch, CancellationToken cancellationToken)
    {
        await ReadSeedAsync(snapshot).ConfigureAwait(false);
        // Without anything of the cluster that it met before, that may have been another one than is meant.
        if (!await _seedTaker.TakeUpAsync(batch, cancellationToken).ConfigureAwait(false))
            return;
        Identity.Cluster = 0;
        foreach (byte member in Identity.Members.Keys.Where(member => member != Node).ToArray())
            Identity.Members.Remove(member);
        Identity.Forgotten.Clear();
    }

    void DropRetiredSeed()
    {
        if (!_seedTaker.DropRetired(Identity.Retired))
            return;
        Unjoin();
        _puller.EndAll();
    }

    void Unjoin()
    {
        Identity.IsJoined = false;
        _run.Undo();
        _roll = null;
    }

    void StartRoll(ReplicaBatch batch)
    {
        _roll = new Roll(Node, ++_lastRoll, Sessions);
        _roll.Call(batch);
        FinishRoll(batch);
    }

    void FinishRoll(ReplicaBatch batch)
    {
        var roll = _roll!;
        var others = Identity.Members.Keys.Where(node => node != Node).ToHashSet();
        if (IsJoined)
        {
            if (!roll.IsComplete(others, Sessions, _proofs.Certain) || roll.KnownOfCaller() is not { } known)
                return;
            _gapCloser.Take(known);
            _gapCloser.TryClose(batch, _run.Stamp);
        }
        else if (IsWaitingForRoll && roll.HasAnswers)
        {
            // A member that everyone has forgotten is not waited for.
            others.RemoveWhere(roll.IsForgotten);
            if (roll.IsComplete(others, Sessions, _proofs.Certain))
                Join(batch);
        }
    }

    void TickGap(ReplicaBatch batch)
    {
        _gapCloser.TryClose(batch, _run.Stamp);
        if (_gapCloser.HasGap(batch.State) && !_members.Absent(Sessions).Any())
            StartRoll(batch);
    }
}
