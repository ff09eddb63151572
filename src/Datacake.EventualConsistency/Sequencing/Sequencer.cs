using Datacake.Crdt;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.EventualConsistency.Sequencing.Messages;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Sequencing;

/// <summary>
/// The rules of serial transactions of one store: a state machine beside the <see cref="Replica"/>, driven by the same batches. Numbers in brackets,
/// such as [S4], refer to the rules in SERIAL.md.
/// </summary>
/// <remarks>
/// Whatever a rule says must be flushed before it is told is written in the batch whose messages tell it, since a batch is sent once it is committed.
/// Not thread-safe: one caller at a time, who begins each batch, fills it, calls <see cref="FinishAsync"/> last, and then <see cref="Complete"/> or
/// <see cref="AbandonAsync"/>.
/// </remarks>
partial class Sequencer
{
    readonly SequencerSettings _settings;
    readonly Replica _replica;
    readonly Dictionary<ulong, MemberProgress> _progress = [];      // of the members that follow, by store id
    readonly long _origin;
    SequenceLog _log = null!;           // set by TakeUp
    SequencerRole _role;
    byte? _sequencer;                   // the node that is heard of as sequencer
    long? _heardAt;                     // when the sequencer was last heard of
    long _deadline;                     // when to stand for election
    (IReadOnlyList<Voter>? Of, IReadOnlyList<ulong> Stores) _voterStores = (null, []);
    int _pace = 1;                      // the factor of the present sequencer's times: more than 1 while it is idle

    /// <summary>Creates a sequencer over what a store keeps of the sequence.</summary>
    public Sequencer(SequencerSettings settings, Replica replica, SequenceLog log)
    {
        _settings = settings;
        _replica = replica;
        TakeUp(log);
        _origin = settings.Time.GetTimestamp();
        Caller = new SerialCaller(this, replica);
        Wait();
    }

    /// <summary>Gets the settings.</summary>
    public SequencerSettings Settings => _settings;

    /// <summary>Gets the requests of this node.</summary>
    public SerialCaller Caller { get; }

    /// <summary>Gets the role of this store.</summary>
    public SequencerRole Role => _role;

    /// <summary>True if this store is the sequencer and takes requests.</summary>
    public bool IsReady => _role == SequencerRole.Sequencer && _isReady;

    /// <summary>Gets the node that this store takes for the sequencer; 0 if it knows none.</summary>
    public byte? Current => _role == SequencerRole.Sequencer ? _replica.Node : _sequencer;

    /// <summary>Gets the state that is kept.</summary>
    public SequenceState State => _log.State;

    /// <summary>Gets the number of entries that wait: they are not dropped yet.</summary>
    public int Waiting => (int)(_log.Last - _log.State.Base);

    /// <summary>Gets the index of the last entry.</summary>
    public ulong Last => _log.Last;

    /// <summary>True if this store is the only voter, so that its own commit decides: what a batch holds is decided with it.</summary>
    public bool IsOnlyVoter => _log.Voters is [var only] && only == Self;

    /// <summary>Gets the store ids of the voters. It is the same list until they change.</summary>
    public IReadOnlyList<ulong> Voters
    {
        get
        {
            if (!ReferenceEquals(_voterStores.Of, _log.Voters))
                _voterStores = (_log.Voters, [.. _log.Voters.Select(static voter => voter.Store)]);
            return _voterStores.Stores;
        }
    }

    /// <summary>Gets or sets whether the store can take the effects of transactions: its storage has not refused the last ones as full [S2].</summary>
    public bool HasRoom { get; set; } = true;

    Voter Self => new(VoterOf(_replica.Identity.StoreId), Kept.Life);

    /// <summary>Gets the time since the sequencer was created, in milliseconds.</summary>
    public long Now => (long)_settings.Time.GetElapsedTime(_origin).TotalMilliseconds;

    /// <summary>Gets the time between heartbeats at present, in milliseconds.</summary>
    int Heartbeat => _pace * (int)_settings.Heartbeat.TotalMilliseconds;

    /// <summary>Gets the shortest election time at present, in milliseconds.</summary>
    long ElectionTime => _pace * (long)_settings.ElectionTime.TotalMilliseconds;

    SequenceState Kept
    {
        get => _log.State;
        set => _log.State = value;
    }

    bool IsVoter(Voter voter) => _log.Voters.Contains(voter);

    bool IsMember => _replica.IsJoined && _replica.Exclusion is null;

    /// <summary>Processes a message of a session, and ignores it if that session is no longer open.</summary>
    /// <exception cref="InvalidDataException">The message is not valid.</exception>
    public async ValueTask ReceiveAsync(ReplicaBatch batch, byte peer, long session, SequenceMessage wrapped)
    {
        if (!_replica.IsOpen(peer, session) || !IsMember)
            return;
        ulong store = VoterOf(_replica.Sessions[peer].StoreId);
        switch (SequencingMessage.Decode(wrapped))
        {
            case VoteRequest request:
                NoteLife(store, request.Life);
                OnVoteRequest(batch, peer, request);
                break;
            case VoteReply reply:
                NoteLife(store, reply.Life);
                OnVoteReply(batch, store, reply);
                break;
            case AppendRequest request:
                OnAppend(batch, peer, request);
                break;
            case BaseNotice notice:
                OnBase(batch, peer, notice);
                break;
            case AppendReply reply:
                NoteLife(store, reply.Life);
                OnAppended(batch, store, session, reply);
                break;
            case CommitRequest request:
                await CommitAsync(batch, new Requester(peer, session, request.Attempt), request).ConfigureAwait(false);
                break;
            case BarrierRequest request:
                BeginBarrier(batch, new Requester(peer, session, request.Attempt));
                break;
            case SequencerReply reply:
                _replies.Add((reply, peer, session));
                break;
            case PositionRequest:
                Send(batch, peer, new PositionReply(Kept.Founding, Kept.Life, Kept.Epoch, _log.Last, _log.LastEpoch, Kept.Limit, _log.Voters, batch.State.Known, MayStand));
                break;
            case PositionReply reply:
                NoteLife(store, reply.Life);
                _positions[peer] = (session, reply);
                break;
        }
    }

    /// <summary>
    /// Gets the time after which <see cref="TickAsync"/> must be called, unless another batch comes first; <see cref="Timeout.InfiniteTimeSpan"/> if nothing
    /// will become due by itself.
    /// </summary>
    public TimeSpan DueIn
    {
        get
        {
            long due = Caller.DueAt;
            if (_role == SequencerRole.Sequencer)
                due = Math.Min(due, _beatAt);
            else if (IsMember && _sequencer is { } heard && !_replica.Sessions.ContainsKey(heard))
                due = Now;
            else if (IsMember && MayStand)
                due = Math.Min(due, _deadline);
            else if (IsMember && Kept.MayFound)
                due = Math.Min(due, _askAt);
            if (_role != SequencerRole.Sequencer && HasDroppable)
                due = Math.Min(due, Math.Max(_droppableSince + MaxRebaseDelay, Now + Heartbeat));
            return due == long.MaxValue ? Timeout.InfiniteTimeSpan : TimeSpan.FromMilliseconds(Math.Max(0, due - Now));
        }
    }

    /// <summary>Does what is due by now: see <see cref="DueIn"/>. A call at another time does no harm.</summary>
    public async ValueTask TickAsync(ReplicaBatch batch)
    {
        if (IsMember)
            Tick(batch);
        else
            StepDown(batch, Kept.Epoch);
        await Caller.TickAsync(batch).ConfigureAwait(false);
    }

    /// <summary>Adds everything to a batch that follows from what was done in it. Must be called last.</summary>
    public async ValueTask FinishAsync(ReplicaBatch batch)
    {
        // The store that forms a cluster is its first voter [S9].
        if (IsMember && _log.Voters.Count == 0 && Kept is { Epoch: 0, Life: 0 } && _replica.Identity.Cluster == _replica.Identity.StoreId)
            Kept = Kept with { BaseVoters = [Self] };
        if (_role == SequencerRole.Sequencer)
            await AdvanceAsync(batch).ConfigureAwait(false);
        else
        {
            if (!HoldsTokensOf(_told.Node, _told.Session))
                ForgetDroppable();
            TakeAwaitedBase(batch);
            RebaseLater(batch);
        }
        await KeepUniqueIndexesAsync(batch).ConfigureAwait(false);
        _log.WriteTo(batch);
    }

    /// <summary>Takes over the changes of a batch that the storage has committed.</summary>
    public void Complete() => _log.OnCommitted();

    /// <summary>Ends the requests of this node that have an outcome, after <see cref="Complete"/>.</summary>
    public void TellOutcomes()
    {
        var replies = _replies.ToArray();
        _replies.Clear();
        foreach (var (reply, node, session) in replies)
            Caller.OnReply(reply, node, session);
    }

    /// <summary>Returns to the stored state after a batch that the storage failed to commit.</summary>
    public async ValueTask AbandonAsync(IStorageSnapshot snapshot)
    {
        TakeUp(await SequenceLog.LoadAsync(snapshot, CancellationToken.None).ConfigureAwait(false));
        _replies.Clear();
        _isUniqueLoaded = false;
        Follow();
        Wait();
    }

    void Tick(ReplicaBatch batch)
    {
        if (_role == SequencerRole.Sequencer)
        {
            TickSequencer(batch);
            return;
        }
        if (Kept.MayFound)
            TickFounding(batch);
        // A sequencer whose session has ended is gone, or soon dialed again: its followers need not wait for the whole election time.
        if (_sequencer is { } sequencer && !_replica.Sessions.ContainsKey(sequencer))
        {
            (_sequencer, _heardAt, _pace) = (null, null, 1);
            _deadline = Math.Min(_deadline, Now + _settings.Random.NextInt64(ElectionTime));
        }
        if (Now >= _deadline)
            Stand(batch);
    }

    void TakeUp(SequenceLog log)
    {
        _log = log;
        if (log.IsForgotten)
            Kept = Kept with { Life = FreshLife() };
    }

    void Send(ReplicaBatch batch, byte node, SequencingMessage message, bool isEarly = false)
    {
        if (_replica.Sessions.TryGetValue(node, out var session))
            (isEarly ? batch.EarlyOutbox : batch.Outbox).Add(new Outgoing(node, session.Id, message.Wrap()));
    }

    /// <summary>Gives a new random time to wait for a sequencer. Who is the only voter waits for nobody.</summary>
    void Wait() => _deadline = IsOnlyVoter ? Now : Now + ElectionTime + _settings.Random.NextInt64(ElectionTime);

    /// <summary>
    /// Notes that this store sends the sequencer a request, which wakes it if it is idle. One that does not wake is soon replaced: its followers no longer
    /// wait as long as for the heartbeats of an idle one.
    /// </summary>
    public void ExpectSignOfLife()
    {
        if (_role != SequencerRole.Follower || _pace == 1)
            return;
        _pace = 1;
        Wait();
    }

    /// <summary>Becomes a follower, of a later epoch if there is one.</summary>
    void StepDown(ReplicaBatch batch, ulong epoch)
    {
        if (epoch > Kept.Epoch)
            Kept = Kept with { Epoch = epoch, Vote = 0 };
        if (_role == SequencerRole.Sequencer)
            Resign(batch);
        Follow();
    }

    void Follow()
    {
        _pace = 1;
        _role = SequencerRole.Follower;
        _isReady = false;
        _noVoteAt = 0;
        ClearRequests();
        ForgetDroppable();
    }
}
