using System.Collections.Concurrent;
using System.Security.Cryptography;
using Datacake.Crdt;
using Datacake.EventualConsistency.Commits;
using Datacake.EventualConsistency.Hosts;
using Datacake.EventualConsistency.Membership;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Sequencing;
using Datacake.EventualConsistency.Transactions;
using Datacake.Node;
using Microsoft.Extensions.Logging;

namespace Datacake.EventualConsistency;

/// <summary>The serial transactions of a store: drives its sequencer by a timer, and hands over the requests of callers and their outcomes.</summary>
/// <remarks>See SERIAL.md. Thread-safe, except for <see cref="OnCommitted"/>, which the commit loop calls.</remarks>
sealed class StoreSequencing : IDisposable
{
    const double HeartbeatsPerElectionTime = 5;

    /// <summary>The factor of the heartbeats of an idle sequencer of a named store, of which a node may hold a thousand: half a minute apart rather than a second.</summary>
    const int NamedIdleFactor = 300;

    /// <summary>The time after which members are asked again.</summary>
    static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(50);

    /// <summary>The time for which members are waited for that have to say how far they are.</summary>
    static readonly TimeSpan RecoveryPatience = TimeSpan.FromSeconds(5);

    readonly DatacakeNode _node;
    readonly Replica _replica;
    readonly Sequencer _sequencer;
    readonly CurrentMembership _membership;
    readonly CommitWaiters _waiters;
    readonly ReplicatedStoreOptions _options;
    readonly StoreMetrics _metrics;
    readonly SerialStatusBoard _board;
    readonly CancellationToken _stopping;
    readonly TimeProvider _time;
    readonly ConcurrentDictionary<string, long> _conflicts = [];    // refused transactions of this node, by keyspace
    long _decided;                              // transactions of this node that took effect

    CommitLoop _loop = null!;                   // set by Start
    SequencerTimer _timer = null!;              // likewise

    public StoreSequencing(
        DatacakeNode node, Replica replica, Sequencer sequencer, CurrentMembership membership, CommitWaiters waiters, StoreMetrics metrics, ReplicatedStoreOptions options,
        ILogger logger, CancellationToken stopping)
    {
        _node = node;
        _replica = replica;
        _sequencer = sequencer;
        _membership = membership;
        _waiters = waiters;
        _metrics = metrics;
        _options = options;
        _stopping = stopping;
        _time = node.TimeProvider;
        _board = new SerialStatusBoard(replica, sequencer, _time, logger);
    }

    /// <summary>Gets the state of the sequence as this node sees it.</summary>
    public SerialStatus Status => _board.Status with { Decided = Interlocked.Read(ref _decided), Conflicts = new Dictionary<string, long>(_conflicts) };

    /// <summary>Gets the time for which this node has known no sequencer; zero if it knows one.</summary>
    public TimeSpan TimeWithoutSequencer => _board.TimeWithoutSequencer;

    /// <summary>Gets the requirement of a serial transaction: a majority of the voters.</summary>
    public ConsistencyRequirement Requirement
    {
        get
        {
            var status = _board.Status;
            return ConsistencyRequirement.ForVoters(_node.Id, _membership.Current.Members, status.Voters, status.VoterCount, status.RetiredVoters);
        }
    }

    /// <summary>Returns the settings of the sequencer of a store.</summary>
    public static SequencerSettings SettingsOf(StoreHost host, ReplicatedStoreOptions options)
    {
        var node = host.Node;
        // Nodes whose silence is suspicious only after long are far apart, and so are the answers to their requests for votes.
        double election = Math.Clamp(node.MinSilence.TotalMilliseconds / 8, 250, 5_000);
        return new SequencerSettings(node.TimeProvider, new Random(RandomNumberGenerator.GetInt32(int.MaxValue)))
        {
            ElectionTime = TimeSpan.FromMilliseconds(election),
            Heartbeat = TimeSpan.FromMilliseconds(election / HeartbeatsPerElectionTime),
            IdleFactor = host.IsNamed ? NamedIdleFactor : SequencerSettings.DefaultIdleFactor,
            MaxVoters = options.MaxVoters,
            MayVote = !options.NeverVotes,
        };
    }

    /// <summary>Starts to drive the sequencer by the commit loop. Must be called before any work is posted there.</summary>
    public void Start(CommitLoop loop)
    {
        _loop = loop;
        _timer = new SequencerTimer(_sequencer, loop, _time);
        _timer.Set(TimeSpan.Zero);
    }

    /// <summary>Commits a transaction in the sequence, and waits until this store has its effects.</summary>
    /// <returns>The result, with the numbers that were assigned.</returns>
    /// <exception cref="SerialConflictException">A condition does not hold, a value of a unique index is taken, or a number cannot be assigned. Nothing was written.</exception>
    /// <exception cref="ArgumentException">The transaction has too much, or something that cannot be written serially. Nothing was written.</exception>
    /// <exception cref="InvalidOperationException">
    /// The transaction would replace a document that has a counter with bounds, or a keyspace has another merge policy on the sequencer. Nothing was written.
    /// </exception>
    /// <exception cref="NotEnoughNodesException">A majority of the voters is not up. Nothing was written.</exception>
    /// <exception cref="OutcomeUnknownException">The outcome could not be learned in time.</exception>
    /// <exception cref="TimeoutException">No sequencer was found in time. Nothing was written.</exception>
    /// <exception cref="OperationCanceledException">The call was canceled before the transaction was sent. Nothing was written.</exception>
    public async Task<CommitResult> CommitAsync(SerialTransaction transaction, CancellationToken cancellationToken)
    {
        var catalog = _replica.Catalog;
        SerialOperation[] operations = [.. transaction.Effects.Operations.Select(operation =>
            new SerialOperation(catalog.Find(operation.Keyspace)?.Policy ?? MergePolicy.LastWriterWins, operation))];
        SerialTransactionCheck.Check(transaction, operations, _options);
        var proposal = transaction.ToProposal(operations);
        cancellationToken.ThrowIfCancellationRequested();
        var work = WorkOf(async (batch, onEnded) =>
        {
            await CheckBoundedAsync(batch, operations).ConfigureAwait(false);
            return await _sequencer.Caller.CommitAsync(batch, proposal, onEnded).ConfigureAwait(false);
        });
        return await FinishAsync(transaction, work, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Waits until this store has the effects of all serial transactions that ended before the call.</summary>
    /// <exception cref="NotEnoughNodesException">A majority of the voters is not up.</exception>
    /// <exception cref="TimeoutException">The sequencer did not answer in time, or the effects did not arrive.</exception>
    public async Task PassBarrierAsync(CancellationToken cancellationToken)
    {
        using var limit = new Limit(_options.AcknowledgmentTimeout, _time, cancellationToken, _stopping);
        var work = WorkOf(_sequencer.Caller.BeginBarrierAsync);
        try
        {
            while (true)
            {
                var request = await RunAsync(work, limit.Token).ConfigureAwait(false);
                if (await WaitForEffectsAsync(request, limit.Token).ConfigureAwait(false))
                    return;
                work = WorkOf(_sequencer.Caller.BeginBarrierAsync);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            if (_stopping.IsCancellationRequested)
                throw CommitLoop.Closed();
            throw new TimeoutException(
                $"A serial read was not confirmed within {_options.AcknowledgmentTimeout.TotalSeconds:0.###} s. {Describe()} Retry, or read without a level.");
        }
        finally
        {
            GiveUp(work);
        }
    }

    /// <summary>
    /// Founds the sequence anew, with this store as its only voter at first, because a majority of the voters is lost for good.
    /// </summary>
    /// <returns>False if the store shows transactions and lacks some before them, which are lost.</returns>
    /// <exception cref="InvalidOperationException">A rule forbids it. The message says which, and what to do.</exception>
    public async Task<bool> RecoverAsync(CancellationToken cancellationToken)
    {
        long start = _time.GetTimestamp();
        while (true)
        {
            bool isWhole = true;
            string? reason = await _loop.RunAsync(
                async (batch, _) =>
                {
                    _sequencer.AskPositions(batch);
                    string? found = _sequencer.ReasonAgainstRecovery(batch);
                    if (found is null)
                        isWhole = await _sequencer.RecoverAsync(batch).ConfigureAwait(false);
                    return found;
                }, cancellationToken).ConfigureAwait(false);
            if (reason is null)
                return isWhole;
            // The members in session are asked first, and one may be just about to be elected.
            if (_time.GetElapsedTime(start) >= RecoveryPatience)
                throw new InvalidOperationException(reason);
            await Task.Delay(RetryDelay, _time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Notes what a batch has changed, ends the requests that have an outcome, and sets the timer. Called on the commit loop after each commit.</summary>
    public void OnCommitted()
    {
        _board.Refresh();
        // After the status: a caller that learns its outcome must find the founding of the sequence that it is from.
        _sequencer.TellOutcomes();
        _timer.Set(_sequencer.DueIn);
    }

    /// <summary>Stops the timer. The commit loop fails what waits for it.</summary>
    public void Dispose() => _timer.Dispose();

    /// <summary>Checks that no operation replaces a document of this store that has a counter with bounds. The sequencer checks its own store, too.</summary>
    /// <exception cref="InvalidOperationException">An operation does.</exception>
    async ValueTask CheckBoundedAsync(ReplicaBatch batch, SerialOperation[] operations)
    {
        foreach (var (_, operation) in operations)
        {
            if (_replica.Catalog.Find(operation.Keyspace) is { } keyspace
                && BoundedReplacement.IsBy(operation, await batch.ReadAsync(batch.KeyOf(keyspace, operation.Key)).ConfigureAwait(false), keyspace.Policy, batch.Now))
                throw new InvalidOperationException(BoundedReplacement.Describe(operation));
        }
    }

    async Task<CommitResult> FinishAsync(SerialTransaction transaction, SerialRequestWork work, CancellationToken cancellationToken, SerialRequest? resumed = null)
    {
        using var limit = new Limit(_options.AcknowledgmentTimeout, _time, cancellationToken, _stopping);
        SerialRequest request;
        try
        {
            request = await RunAsync(work, limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e)
        {
            // A request that is asked for again was sent before.
            var ended = await GiveUpAsync(work).ConfigureAwait(false) ?? resumed ?? throw NotSent(e, cancellationToken);
            // A closed store cannot find out what its caller already knows to be unknown.
            if (ended.Outcome is null && resumed is not null && _stopping.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
                throw CommitLoop.Closed();
            request = ended.Outcome is null ? throw Unknown(transaction, ended, e, cancellationToken) : ended;
        }
        if (request.Outcome == SerialOutcome.Conflict)
        {
            var conflict = new SerialConflictException(transaction, request.Refusal!);
            if (request.Refusal!.IsOfOperation)
                throw new SerialOperationException(conflict.Message);
            _metrics.Conflicted(conflict.Keyspace);
            _conflicts.AddOrUpdate(conflict.Keyspace, 1, static (_, count) => count + 1);
            // Whoever reads again must find what the transaction was refused for.
            await ((Task)WaitForEffectsAsync(request, limit.Token)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw conflict;
        }
        _metrics.Decided();
        Interlocked.Increment(ref _decided);
        var result = new CommitResult(request.Token.Top, NodeSet.Of(_node.Id)) { Numbers = request.Numbers };
        try
        {
            if (!await WaitForEffectsAsync(request, limit.Token).ConfigureAwait(false))
                await PassBarrierAsync(limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (cancellationToken.IsCancellationRequested)
        {
            throw new CommitCanceledException(result.Stamp, e, cancellationToken) { Numbers = result.Numbers };
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or TimeoutException or NotEnoughNodesException)
        {
            // It is decided. Replication is late, and brings it; if the store is closed, it comes when the store is opened again.
        }
        return result;
    }

    SerialRequestWork WorkOf(Func<ReplicaBatch, Action<SerialRequest>, ValueTask<SerialRequest>> begin) => new(_sequencer, ThrowWithoutMajority, begin);

    async Task<SerialRequest> RunAsync(SerialRequestWork work, CancellationToken cancellationToken)
    {
        if (!_loop.TryPost(work))
            await _loop.PostAsync(work, cancellationToken).ConfigureAwait(false);
        return await work.Done.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Waits until the store knows the token of an answered request. Returns true if it then has its effects. It may have learned that the stamps are lost instead, if the session in which it
    /// was told is over: the one that answered has lost its tail, or its disk [R14]. Then only another answer can say what to wait for.
    /// </summary>
    async Task<bool> WaitForEffectsAsync(SerialRequest request, CancellationToken cancellationToken)
    {
        if (request.IsKnown)
            return true;
        // Of one moment: a session may end before the store knows the token, or after.
        var seen = _membership.Current;
        if (!Knows())
            await _waiters.WaitAsync(Knows, cancellationToken).ConfigureAwait(false);
        return request.Node == _node.Id || seen.IsInSession(request.Node, request.Session);

        bool Knows() => (seen = _membership.Current).Known.Covers(request.Token);
    }

    /// <summary>
    /// Stops waiting for a request. Returns the request if it has an outcome, or may take effect; null if nobody will send it, and the caller can be told that nothing was written.
    /// </summary>
    async Task<SerialRequest?> GiveUpAsync(SerialRequestWork work)
    {
        if (work.TryWithdraw())
            return null;
        bool isGivenUp = false;
        try
        {
            await _loop.RunInReserveAsync((_, _) =>
            {
                work.GiveUp();
                isGivenUp = true;
                return ValueTask.FromResult(true);
            }).ConfigureAwait(false);
        }
        catch (ObjectDisposedException)
        {
            // The last batch may bring the outcome. Nothing is sent after it.
            await _loop.Ended.ConfigureAwait(false);
            isGivenUp = true;
        }
        catch (Exception)
        {
            // The batch could not be committed, which is logged. If it did not get as far as the request, the request is sent again until its outcome is known.
        }
        return work.Request is { } request && (!isGivenUp || request.IsSent || request.Outcome is not null) ? request : null;
    }

    /// <summary>Stops waiting for a request that changes nothing.</summary>
    void GiveUp(SerialRequestWork work)
    {
        if (!work.Done.IsCompleted)
            _ = GiveUpAsync(work);
    }

    Exception NotSent(OperationCanceledException cause, CancellationToken cancellationToken)
    {
        if (_stopping.IsCancellationRequested)
            return CommitLoop.Closed();
        if (cancellationToken.IsCancellationRequested)
            return new OperationCanceledException("The serial transaction was canceled before it was sent. Nothing was written.", cause, cancellationToken);
        return new TimeoutException(
            $"No sequencer was found within {_options.AcknowledgmentTimeout.TotalSeconds:0.###} s. Nothing was written. {Describe()} Retry when a majority of the voters is connected.", cause);
    }

    OutcomeUnknownException Unknown(SerialTransaction transaction, SerialRequest request, Exception cause, CancellationToken cancellationToken)
    {
        string reason = cancellationToken.IsCancellationRequested
            ? "The wait for the outcome of a serial transaction was canceled."
            : _stopping.IsCancellationRequested ? "The store was closed before the outcome of a serial transaction was known."
            : $"The outcome of a serial transaction was not learned within {_options.AcknowledgmentTimeout.TotalSeconds:0.###} s. {Describe()}"
                + (request.Failure is { } failure ? $" The last attempt failed: {failure.Message}" : "");
        return new OutcomeUnknownException(reason, cause, token => FinishAsync(transaction, WorkOf(async (batch, onEnded) =>
        {
            await _sequencer.Caller.ResumeAsync(batch, request, onEnded).ConfigureAwait(false);
            return request;
        }), token, request));
    }

    /// <summary>Describes for an error what may keep a request from being answered.</summary>
    string Describe()
    {
        var status = _board.Status;
        string sequencer = status.Sequencer is { } node ? $"Node {node} is the sequencer" : "There is no sequencer";
        string state = $"{sequencer}; the voters are {(status.Voters.IsEmpty ? "not known yet" : ConsistencyRequirement.NamesOf(status.Voters))}.";
        if (_loop.StorageFailure is { } failure)
            return $"{state} The storage of node {_node.Id} refuses writes, so the node cannot be the sequencer or vote ({nameof(ReplicatedStore.StorageFailure)}): {failure.Message}";
        if (_board.UnreadableIndex is { } reason)
            return $"{state} Serial writes wait: {reason}";
        return Requirement.IsReachable
            ? $"{state} A majority of the voters is connected. If their storages refuse writes, as full ones do, they cannot decide; see {nameof(ReplicatedStore.StorageFailure)} of each."
            : state;
    }

    /// <summary>Throws if a majority of the voters has no session. Called on the commit loop.</summary>
    void ThrowWithoutMajority()
    {
        var voters = _sequencer.Voters;
        int connected = voters.Count(store => store == _replica.Identity.StoreId || _replica.Sessions.Values.Any(session => session.StoreId == store));
        if (voters.Count > 0 && 2 * connected <= voters.Count)
        {
            _board.Update();
            throw new NotEnoughNodesException(Requirement, _membership.Current.Describe(_node));
        }
    }

    /// <summary>The token of a call, which ends after a time.</summary>
    sealed class Limit : IDisposable
    {
        readonly CancellationTokenSource _timeout;
        readonly CancellationTokenSource _either;

        public Limit(TimeSpan timeout, TimeProvider time, CancellationToken cancellationToken, CancellationToken stopping)
        {
            _timeout = new CancellationTokenSource(ReplicatedStoreOptions.ToTimer(timeout), time);
            _either = CancellationTokenSource.CreateLinkedTokenSource(_timeout.Token, cancellationToken, stopping);
        }

        public CancellationToken Token => _either.Token;

        public void Dispose()
        {
            _either.Dispose();
            _timeout.Dispose();
        }
    }
}
