using Datacake.Crdt;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Replication;

// Joining a cluster, and the roll calls that joining and gap closing need [R12, R14].
sealed partial class Replica
{
    Roll? _roll;
    ulong _lastRoll;

    /// <summary>True if a store that has not joined holds part of a cluster's data. It must not form a cluster then.</summary>
    public bool HasPartOfSeed => _seedCopier.HasPart;

    /// <inheritdoc cref="SeedCopier.IsWhole"/>
    public bool IsSeedWhole => _seedCopier.IsWhole;

    /// <inheritdoc cref="SeedCopier.Progress"/>
    public (long Documents, long Estimated, byte? From) SeedProgress => _seedCopier.Progress;

    /// <summary>True if the store has a complete copy of a member's data, and waits for further members to answer the roll call.</summary>
    public bool IsWaitingForRoll => _seedCopier.IsReady;

    /// <summary>Gets the members that a joining store waits for, as far as it knows them.</summary>
    public IEnumerable<byte> AwaitedMembers => _members.Absent(Sessions);

    /// <summary>Makes this store the first member of a new cluster, unless it has joined a cluster or holds data of one.</summary>
    public void Bootstrap()
    {
        if (IsJoined || HasPartOfSeed)
            return;
        // The same number, so that the store shows for good that it has formed its cluster [S9].
        Identity.Cluster = Identity.StoreId;
        StartAsMember();
    }

    void StartAsMember()
    {
        _puller.EndAll();                                                         // they request a seed, which a member does not need
        Identity.IsJoined = Identity.IsDirty = true;
        Identity.Members[Node] = Identity.Members[Node] with { HasJoined = true };
        _run.Begin();
    }

    /// <summary>Purges the next part of the seed, if it needs purging. Returns true if there is more to do.</summary>
    async ValueTask<bool> PurgeSeedAsync(ReplicaBatch batch)
    {
        if (!_seedCopier.MustPurge)
            return false;
        bool isReady = await _seedCopier.PurgeAsync(batch).ConfigureAwait(false);
        if (isReady)
            FinishSeed(batch);
        return !isReady;
    }

    /// <summary>
    /// Makes the complete and purged seed the store, and joins, or first calls the roll if an earlier life of the node may be remembered.
    /// </summary>
    void FinishSeed(ReplicaBatch batch)
    {
        batch.State = _seedCopier.Cut;
        if (IsFollower)
            FinishCopy(batch);
        else if (Identity.MayHaveEarlierLife)
            StartRoll(batch);
        else
            Join(batch);
    }

    void Join(ReplicaBatch batch)
    {
        Identity.Ancestors.UnionWith(_seedCopier.Complete(batch));
        _roll = null;
        StartAsMember();
    }

    /// <summary>Reads the seed as it is stored: at the start, and after a commit that failed.</summary>
    async ValueTask ReadSeedAsync(IStorageSnapshot snapshot)
    {
        Unjoin();
        await _seedCopier.ReadAsync(snapshot).ConfigureAwait(false);
        DropRetiredSeed();
    }

    /// <summary>
    /// Prepares a store that has not joined when a process opens it: continues with its seed, or begins with an empty store.
    /// </summary>
    async ValueTask TakeUpSeedAsync(IStorageSnapshot snapshot, ReplicaBatch batch, CancellationToken cancellationToken)
    {
        await ReadSeedAsync(snapshot).ConfigureAwait(false);
        // Without data of the cluster that it met earlier, the store may take over another one: the earlier one may have been the wrong
        // cluster.
        if (!await _seedCopier.TakeUpAsync(batch, cancellationToken).ConfigureAwait(false))
            return;
        Identity.Cluster = 0;
        foreach (byte member in Identity.Members.Keys.Where(member => member != Node).ToArray())
            Identity.Members.Remove(member);
        Identity.Forgotten.Clear();
    }

    void DropRetiredSeed()
    {
        if (!_seedCopier.DropRetired(Identity.Retired))
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
            CloseGap(batch);
        }
        else if (IsWaitingForRoll && roll.HasAnswers)
        {
            // A member that all members have forgotten is not waited for.
            others.RemoveWhere(roll.IsForgotten);
            if (roll.IsComplete(others, Sessions, _proofs.Certain))
                Join(batch);
        }
    }

    void TickGap(ReplicaBatch batch)
    {
        CloseGap(batch);
        if (MustCloseGap(batch.State) && !_members.Absent(Sessions).Any())
            StartRoll(batch);
    }

    void CloseGap(ReplicaBatch batch)
    {
        _gapCloser.TryClose(batch, _run.Stamp);
        NoteProof(batch);
    }

    /// <summary>Returns true if there is a gap, or if the store needs to know that it lacks nothing of its earlier runs [E5].</summary>
    bool MustCloseGap(ReplicaState state) =>
        _gapCloser.HasGap(state) || (_wantsProof && _gapCloser.MayLackTail(state, _run.Stamp));
}
