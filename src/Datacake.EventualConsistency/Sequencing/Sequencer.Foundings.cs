using Datacake.Crdt;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Sequencing.Messages;
using Datacake.Node;

namespace Datacake.EventualConsistency.Sequencing;

// Voters that have forgotten their votes, and sequences that are founded anew [S9].
partial class Sequencer
{
    readonly Dictionary<ulong, ulong> _lives = [];                                              // the latest life of the records of each store, as it has said
    readonly Dictionary<byte, (long Session, PositionReply Reply)> _positions = [];             // as the members have answered
    long _askAt;                                                                                // when to ask for positions again

    bool IsEnough(int voters) => voters >= Majority;

    /// <summary>Returns true if the store of a voter has forgotten its votes, and so is another voter now, if any.</summary>
    bool IsForgotten(Voter voter) => voter.Store == Self.Store ? voter != Self : _lives.GetValueOrDefault(voter.Store) > voter.Life;

    void NoteLife(ulong store, ulong life) => _lives[store] = Math.Max(_lives.GetValueOrDefault(store), life);

    MemberProgress? ProgressOf(Voter voter) => _progress.TryGetValue(voter.Store, out var progress) && progress.Life == voter.Life ? progress : null;

    ulong FreshLife() => Math.Max(_replica.IssueStamp().Packed, Kept.Life + 1);

    /// <summary>
    /// Returns true if the store follows another founding than before: an operator has said so, or the only voter that the store knows has come back from a backup.
    /// </summary>
    bool MustFollow(Founding founding) => founding.Outranks(Kept.Founding)
        || (_log.Voters.Count == 0 && !Kept.Founding.Outranks(founding))
        || (!founding.IsForced && founding.Stamp > Kept.Founding.Stamp && _log.Voters.All(voter => voter.Store == founding.Store));

    /// <summary>Returns true if a reply is of the own founding. If it is of another one, that may be the right one.</summary>
    bool IsOfThisFounding(ReplicaBatch batch, Founding founding)
    {
        if (founding == Kept.Founding)
            return true;
        // One that has refused to follow the restored store knows voters that are still there.
        if (founding.Outranks(Kept.Founding) || Kept.Founding is { IsFirst: false, IsForced: false })
            Abandon(batch, founding);
        return false;
    }

    /// <summary>Gives up the own sequence for one of another founding. What was applied stays, as it is.</summary>
    void Abandon(ReplicaBatch batch, Founding founding)
    {
        StepDown(batch, Kept.Epoch);
        _log.Clear(mayFound: false);
        Kept = Kept with { Founding = founding, Life = FreshLife() };
        (_sequencer, _heardAt) = (null, null);
    }

    /// <summary>
    /// Founds the sequence anew once all members have answered, none of them knows another voter, and the store knows all that they know. What only the lost
    /// files knew is lost.
    /// </summary>
    void TickFounding(ReplicaBatch batch)
    {
        if (_log.Voters.Count > 0 || _heardAt is not null)
        {
            Kept = Kept with { MayFound = false };
            return;
        }
        AskPositions(batch);
        if (!TryFindPositions(out var positions))
            return;
        if (positions.Exists(position => position.Voters.Any(voter => voter.Store != Self.Store)))
            Kept = Kept with { MayFound = false };
        else if (positions.TrueForAll(position => batch.State.Known.Covers(position.Known)))
            Found(batch, positions);
    }

    void Found(ReplicaBatch batch, List<PositionReply> positions)
    {
        Kept = Kept with
        {
            Founding = new Founding(_replica.IssueStamp(), Self.Store, IsForced: false),
            Epoch = positions.Aggregate(Kept.Epoch, static (epoch, position) => Math.Max(epoch, position.Epoch)) + 1,
            Limit = positions.Aggregate(Kept.Limit, static (limit, position) => HlcTimestamp.Max(limit, position.Limit)),
            Vote = 0,
            MayFound = false,
        };
        // As if one entry had had all the effects that the store knows: whoever follows needs them.
        _log.TakeOver(1, Kept.Epoch, [Self], batch.State.Known);
    }

    /// <summary>Asks all members in session how far they are, unless they have answered in their present sessions, or were asked just now.</summary>
    public void AskPositions(ReplicaBatch batch)
    {
        if (Now < _askAt)
            return;
        _askAt = Now + Heartbeat;
        foreach (byte node in _replica.Sessions.Keys)
            Send(batch, node, new PositionRequest());
    }

    /// <summary>Returns the positions of all other members, or false if one of them is absent or has not answered yet.</summary>
    bool TryFindPositions(out List<PositionReply> positions)
    {
        positions = [];
        foreach (byte node in _replica.Identity.Members.Keys.Where(node => node != _replica.Node))
        {
            if (PositionOf(node) is not { } position)
                return false;
            positions.Add(position);
        }
        return true;
    }

    PositionReply? PositionOf(byte node) => _replica.Sessions.TryGetValue(node, out var session) && _positions.TryGetValue(node, out var position)
        && position.Session == session.Id ? position.Reply : null;

    /// <summary>
    /// Founds the sequence anew, with this store as its only voter, because a majority of the voters is lost for good and an operator has said so. The other
    /// members follow, and become voters one by one. Decided transactions that only the lost voters had are lost.
    /// </summary>
    /// <remarks>
    /// <see cref="AskPositions"/> comes first. What can be known is checked: no sequencer is in office, no store in session can be elected, no member in session is
    /// further, or knows anything that this store does not know, and all other members are retired. One that came back later would bring effects of the earlier sequence
    /// along, which merge with those of the new one by their stamps: parts of transactions would appear, and others would not.
    /// The store goes on from what it shows. It may show effects of entries that only the lost voters had: they count, and the entries before them must not be applied
    /// again on top, which would tear them.
    /// </remarks>
    /// <returns>False if the store shows transactions and lacks some before them, which are lost. Documents of theirs may disagree.</returns>
    /// <exception cref="InvalidOperationException">A rule forbids it. The message says which, and what to do.</exception>
    public async ValueTask<bool> RecoverAsync(ReplicaBatch batch)
    {
        if (ReasonAgainstRecovery(batch) is { } reason)
            throw new InvalidOperationException(reason);
        var positions = JoinedInSession.Select(node => PositionOf(node)!).ToList();
        ulong epoch = positions.Aggregate(Kept.Epoch, static (epoch, position) => Math.Max(epoch, position.Epoch)) + 1;
        Kept = Kept with
        {
            Founding = new Founding(_replica.IssueStamp(), Self.Store, IsForced: true),
            Epoch = epoch,
            Vote = Self.Store,
            Limit = positions.Aggregate(Kept.Limit, static (limit, position) => HlcTimestamp.Max(limit, position.Limit)),
            MayFound = false,
        };
        var keyspace = batch.FindOrAddKeyspace(SerialPosition.Keyspace, MergePolicy.Serial);
        var position = await batch.ReadAsync(batch.KeyOf(keyspace, SerialPosition.Key)).ConfigureAwait(false);
        bool isWhole = SerialPosition.IsWithoutGap(position, batch.State.Known);
        if (_log.Last == 0)
        {
            _log.TakeOver(1, epoch, [Self], batch.State.Known);
        }
        else
        {
            ulong applied = isWhole && batch.State.Known.Contains(SerialPosition.StampOf(position)) ? await FindAppliedAsync(batch).ConfigureAwait(false) : Kept.Base;
            if (DropsApplied && applied > Kept.Base)
                _log.DropUpTo(applied, Kept.Token);
            _log.Append(SequenceEntry.OfVoters(epoch, [Self]));
            Kept = Kept with { Token = TokenOfFounding(batch) };
        }
        _limitFloor = Kept.Limit;
        BeginEpoch();
        return isWhole;
    }

    /// <summary>Returns the index of the last entry whose outcome the store has. As it has no gap, it has the effects of all entries up to there.</summary>
    async ValueTask<ulong> FindAppliedAsync(ReplicaBatch batch)
    {
        ulong applied = Kept.Base;
        for (ulong index = Kept.Base + 1; index <= _log.Last; index++)
        {
            if (_log[index] is { HasOutcome: true } entry && (await FindOutcomeAsync(batch, entry.Id.Caller).ConfigureAwait(false)).Number >= entry.Id.Number)
                applied = index;
        }
        return applied;
    }

    /// <summary>Returns the reason why <see cref="RecoverAsync"/> is not possible here and now, or null if it is.</summary>
    public string? ReasonAgainstRecovery(ReplicaBatch batch)
    {
        if (!IsMember)
            return $"Node {_replica.Node} is no member of the cluster, so it cannot become the voter. Use a member.";
        if (!HasRoom)
            return $"The storage of node {_replica.Node} is full. Make room, or use another member.";
        if (_role == SequencerRole.Sequencer || (_heardAt is { } heard && Now - heard < 2 * ElectionTime))
            return $"Node {Current} is the sequencer, so the voters are not lost. Nothing was changed.";
        foreach (byte node in JoinedInSession)
        {
            if (PositionOf(node) is not { } position)
                return $"Node {node} has not answered yet. Try again in a moment.";
            if (position.Founding == Kept.Founding && (position.LastEpoch, position.Last).CompareTo((_log.LastEpoch, _log.Last)) > 0)
                return $"Node {node} has entries of the sequence that node {_replica.Node} does not have. Name new voters at node {node}.";
            if (position.Founding.Outranks(Kept.Founding))
                return $"Node {node} follows a later founding of the sequence, which node {_replica.Node} joins by itself. Wait.";
            if (!batch.State.Known.Covers(position.Known))
                return $"Node {node} has transactions that node {_replica.Node} does not have yet. Wait until it has caught up.";
        }
        if (_log.Voters.Count > 0 && CanElect())
        {
            int reachable = _log.Voters.Count(voter => voter == Self || IsInSession(voter));
            return $"{reachable} of {_log.Voters.Count} voters can be reached, and elect a sequencer by themselves. Nothing was changed.";
        }
        return ReasonOfAbsent(_replica.Identity.Members.Keys.Where(node => node != _replica.Node && MayReturn(node)));
    }

    /// <summary>
    /// Returns true if a store in session, or this one, can still be elected: by the voters in its own log, of which enough are in session, and none of them is further. This store may know later voters
    /// than all who could be elected: a sequencer that is gone had named them, and nobody that votes has heard of it.
    /// </summary>
    bool CanElect()
    {
        var stores = JoinedInSession.Select(node => (Position: PositionOf(node)!, Store: VoterOf(_replica.Sessions[node].StoreId)))
            .Where(store => store.Position.Founding == Kept.Founding)
            .Select(static store => (Voter: new Voter(store.Store, store.Position.Life), Log: (store.Position.LastEpoch, store.Position.Last), store.Position.Voters, store.Position.MayStand))
            .Append((Voter: Self, Log: (_log.LastEpoch, _log.Last), _log.Voters, MayStand)).ToArray();
        return stores.Any(candidate => candidate.MayStand
            && 2 * candidate.Voters.Count(voter => stores.Any(store => store.Voter == voter && store.Log.CompareTo(candidate.Log) <= 0)) > candidate.Voters.Count);
    }

    /// <summary>Returns the reason against a recovery while members may come back later that are not asked now, or null if none may.</summary>
    string? ReasonOfAbsent(IEnumerable<byte> absent)
    {
        var nodes = absent.Aggregate(default(NodeSet), static (set, node) => set.With(node));
        if (!nodes.IsEmpty)
        {
            string names = ConsistencyRequirement.NamesOf(nodes);
            names = $"{char.ToUpperInvariant(names[0])}{names[1..]}";
            var (who, them) = nodes.Count == 1 ? ($"{names} cannot be reached and is not retired. If it came back later, it", "it") : ($"{names} cannot be reached and are not retired. If they came back later, they", "them");
            return $"{who} would bring back parts of the transactions that are given up. Retire {them} if lost for good, or start {them}. Nothing was changed.";
        }
        // One that does not know yet who is retired would let it in. Too many retired stores are not all kept, so that two sets of them may differ for good.
        foreach (var (node, session) in _replica.Sessions)
        {
            if (session.RetiredDigest != _replica.Identity.Retired.Digest && _replica.Identity.Retired.Count < RetiredStores.Capacity)
                return $"Node {node} does not know yet which nodes are retired. Try again in a moment.";
        }
        return null;
    }

    /// <summary>Gets the members in session that have joined. The others have nothing yet, and answer nothing.</summary>
    IEnumerable<byte> JoinedInSession => _replica.Sessions.Keys.Where(node => !_replica.Identity.Members.TryGetValue(node, out var member) || member.HasJoined);

    bool IsInSession(Voter voter) => _replica.Sessions.Any(session => VoterOf(session.Value.StoreId) == voter.Store && PositionOf(session.Key)?.Life == voter.Life);
}
