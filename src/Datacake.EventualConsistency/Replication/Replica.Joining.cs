using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Replication;

// Joining a cluster, the roll call, and closing the gap that a restart leaves [R12, R14].
sealed partial class Replica
{
    Roll? _roll;
    bool _hasJoined;            // as of the last completed batch
    VersionVector? _surveyed;   // all that exists of earlier runs of this replica

    /// <summary>A roll call: a consistent cut, if the sessions of its start are still open when all have answered.</summary>
    sealed record Roll(ulong Nonce, Dictionary<byte, Session> Sessions, Dictionary<byte, Report> Answers);

    /// <summary>Whether the store waits with a copy of a member's data for further members to answer.</summary>
    public bool IsWaitingForRoll => _isSeedWhole && _unpurged is null;

    /// <summary>The members that a joining store waits for, as far as it knows them.</summary>
    public IEnumerable<byte> AwaitedMembers => Identity.Members.Keys.Where(node => node != Node && !Sessions.ContainsKey(node));

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
        Identity.IsJoined = Identity.IsDirty = true;
        Identity.Members[Node] = Identity.Members[Node] with { HasJoined = true };
        StartRun();
    }

    /// <summary>Answers a roll call.</summary>
    public void OnRollCall(ReplicaBatch batch, byte peer, RollCall call) =>
        batch.Outbox.Add(new Outgoing(peer, Sessions[peer].Id, Report(batch, call.Nonce)));

    /// <summary>Takes a part of a full snapshot: into the store if it is joining, else aside, to be reconciled when all has come.</summary>
    /// <exception cref="InvalidDataException">The part is not one that the peer can have made.</exception>
    /// <exception cref="ClockDriftException">It has a stamp that is too far ahead.</exception>
    public async ValueTask OnSnapshotPageAsync(ReplicaBatch batch, byte peer, SnapshotPage page, CancellationToken cancellationToken)
    {
        if (!_pulls.TryGetValue(peer, out var pull) || !pull.Expects(page.Pull, page.Stream, page.Number))
            return;
        CheckParts(peer, page.State.Known, page.Records, page.Documents);
        _clock.Observe(page.State.Known.Top);
        if (IsJoined && page.Part != SnapshotPart.Whole)
            throw new InvalidDataException($"Node {peer} goes on with a snapshot of which nothing has come.");
        if (!TakeOverCluster(page.Cluster))
        {
            EndSession(peer, OtherCluster(peer, page.Cluster));
            return;
        }
        if (page.IsLast)
            _pulls.Remove(peer);
        if (pull.IsFull)
            await FingerprintComparison.MergeAsync(batch, page).ConfigureAwait(false);
        else if (IsJoined)
            TakeAside(batch, page);
        else if (!_isSeedWhole)
            await TakeAsSeedAsync(batch, peer, page, cancellationToken).ConfigureAwait(false);
    }

    void StartRoll(ReplicaBatch batch)
    {
        _roll = new Roll(++_counter, new Dictionary<byte, Session>(Sessions), []);
        foreach (var (peer, session) in Sessions)
            batch.Outbox.Add(new Outgoing(peer, session.Id, new RollCall(_counter)));
        FinishRoll(batch);
    }

    void FinishRoll(ReplicaBatch batch)
    {
        var others = Identity.Members.Keys.Where(node => node != Node).ToHashSet();
        if (IsJoined && IsRollComplete(others))
        {
            // A store that is joining may wait with a copy of what has since been lost elsewhere; it does not report on that before it has joined.
            if (!_roll!.Answers.All(answer => answer.Value.Peers.ContainsKey(answer.Key)))
                return;
            _surveyed = _roll.Answers.Aggregate(VersionVector.Empty, (surveyed, answer) =>
                answer.Value.Peers.TryGetValue(answer.Key, out var own) ? surveyed.Union(own.Known.OfNode(Node)) : surveyed);
            CloseGap(batch);
        }
        else if (!IsJoined && IsWaitingForRoll && _roll!.Answers.Count > 0)
        {
            // A member that everyone has forgotten is not waited for.
            others.RemoveWhere(node => _roll.Answers.Values.All(answer => answer.Table.Forgotten.Contains(node)));
            if (IsRollComplete(others))
                Join(batch);
        }
    }

    /// <summary>
    /// Whether all who are needed answered within sessions that were open when the roll was called and still are, and nobody talks to an earlier
    /// life of anybody or to a retired store.
    /// </summary>
    bool IsRollComplete(HashSet<byte> needed)
    {
        if (_roll is not { } roll || !needed.IsSubsetOf(roll.Answers.Keys) || roll.Sessions.Count != Sessions.Count)
            return false;
        bool sessionsHold = roll.Sessions.All(session => Sessions.TryGetValue(session.Key, out var open) && open.Id == session.Value.Id);
        return sessionsHold && roll.Answers.Values.All(answer => answer.Table.Retired.IsSupersetOf(Identity.Retired)
            && answer.Boots.All(boot => boot.Key == Node || (Sessions.TryGetValue(boot.Key, out var session) && session.Boot == boot.Value)));
    }

    void Join(ReplicaBatch batch)
    {
        batch.Extra.Delete(StoreLayout.SeedKey);
        Identity.Ancestors.UnionWith(_seed!.Ancestors);
        (_seed, _isSeedWhole) = (null, false);
        _roll = null;
        _pulls.Clear();                                                         // what was asked for to join is not what a member needs
        StartAsMember();
    }

    bool HasGap(ReplicaState state)
    {
        var own = state.Known[Node];
        return own.Length != 1 || !own[0].Low.IsNone;
    }

    void TickGap(ReplicaBatch batch)
    {
        CloseGap(batch);
        if (HasGap(batch.State) && Identity.Members.Keys.All(node => node == Node || Sessions.ContainsKey(node)))
            StartRoll(batch);
    }

    /// <summary>Nothing but what this replica knows exists of its earlier runs, so it knows everything up to its run.</summary>
    void CloseGap(ReplicaBatch batch)
    {
        if (_surveyed is { } surveyed && batch.State.Known.Covers(surveyed))
        {
            batch.Claim(VersionVector.Of(Node, HlcTimestamp.None, _run));
            batch.Note(Node, _run);
            Identity.IsDirty |= Identity.Runs.RemoveAll(run => run != _run) > 0;
        }
    }
}
