using Datacake.Crdt;
using Datacake.EventualConsistency.Commits;
using Datacake.EventualConsistency.Indexes;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Sequencing;
using Datacake.EventualConsistency.Sequencing.Messages;
using Datacake.EventualConsistency.Tests.Fixtures;
using Datacake.Simulation.Machines;
using Datacake.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace Datacake.EventualConsistency.Tests.Sequencing;

/// <summary>
/// A store that is its own and only sequencer. Transactions that are committed together are in one batch, so that each is checked against the earlier ones while
/// these wait.
/// </summary>
sealed class SequencedStore : IAsyncDisposable
{
    readonly FaultyStorage _storage = new();
    readonly SimulatedTime _time = new();
    readonly SimulatedClock _clock;
    Replica _replica = null!;
    Sequencer _sequencer = null!;
    BatchCommitter _committer = null!;
    ulong _boot;

    SequencedStore() => _clock = new SimulatedClock(_time);

    /// <summary>Gets or sets the maximum number of records that are read to check a transaction, of sequencers that start from now on.</summary>
    public int MaxRecordsRead { get; set; } = 10_000;

    /// <summary>Gets the storage.</summary>
    public FaultyStorage Storage => _storage;

    /// <summary>Gets the log of the board.</summary>
    public CollectingLog Log { get; } = new();

    /// <summary>Gets the state of the sequence, which is refreshed after each commit.</summary>
    public SerialStatusBoard Board { get; private set; } = null!;

    public static async Task<SequencedStore> StartAsync()
    {
        var store = new SequencedStore();
        await store.RestartAsync();
        return store;
    }

    /// <summary>Starts the process, again if it has run before. A new epoch begins with the next tick, which is made here if the sequencer is waited for.</summary>
    public async Task RestartAsync(bool waitUntilReady = true)
    {
        using var snapshot = await _storage.OpenSnapshotAsync();
        (_replica, var batch) = await Replica.OpenAsync(
            new ReplicaSettings("stage", "", ++_boot, 1, _clock), new HybridLogicalClock(1, _clock), _storage, snapshot, default);
        await _storage.CommitAsync(_replica.Prepare(batch).Batch, Datacake.Storage.Durability.Flushed);
        _replica.Complete(batch);
        _sequencer = new Sequencer(
            new SequencerSettings(_clock, new Random(1)) { MaxRecordsRead = MaxRecordsRead }, _replica, await SequenceLog.LoadAsync(snapshot, default));
        Board = new SerialStatusBoard(_replica, _sequencer, _clock, Log);
        _committer = new BatchCommitter(_replica, _storage, Datacake.Storage.Durability.Flushed, _clock, NullLogger.Instance, OnCommitted, static _ => { }, _sequencer);
        if (!_replica.IsJoined)
            await RunAsync(_ => _replica.Bootstrap());
        while (waitUntilReady && !_sequencer.IsReady)
            await TickAsync();
    }

    /// <summary>Gets the number of lanes that the requests of this run have used.</summary>
    public uint Lanes => _sequencer.Caller.Lanes;

    /// <summary>Gets the state of the sequence.</summary>
    public SequenceState State => _sequencer.State;

    /// <summary>Gets the stamps that the store knows.</summary>
    public VersionVector Known => _replica.State.Known;

    /// <summary>
    /// Restarts the process as a sequencer that has an entry in its log which an earlier one has applied: the state of the sequence is as it was before, and the documents are as they are.
    /// </summary>
    public async Task RestartBeforeAsync(SequenceState before, SequenceEntry entry)
    {
        var batch = new WriteBatch();
        batch.Put(StoreLayout.SequenceKey, before.Encode());
        batch.Put(StoreLayout.SequenceEntryKey(before.Base + 1), entry.Encoded);
        await _storage.CommitAsync(batch, Datacake.Storage.Durability.Flushed);
        await RestartAsync();
    }

    /// <summary>Writes what an earlier sequencer has recorded of the stamps that come before its transaction.</summary>
    public Task WritePositionAsync(VersionVector earlier)
    {
        var transaction = new Transaction();
        transaction.Put(SerialPosition.Keyspace, SerialPosition.Key, SerialPosition.ToContent(earlier));
        return WriteSerialAsync(transaction);
    }

    /// <summary>Writes what another sequencer has applied.</summary>
    public Task WriteSerialAsync(Transaction transaction) => RunAsync(async batch =>
    {
        foreach (var operation in transaction.Operations)
            batch.FindOrAddKeyspace(operation.Keyspace, MergePolicy.Serial);
        await _replica.WriteSerialAsync(batch, transaction, _replica.IssueStamp());
    });

    /// <summary>Returns the only outcome of a transaction.</summary>
    public async Task<SerialRequest> CommitAsync(SerialProposal proposal) => (await CommitTogetherAsync(proposal)).Single();

    /// <summary>Commits transactions in one batch, and returns their outcomes.</summary>
    public async Task<SerialRequest[]> CommitTogetherAsync(params SerialProposal[] proposals)
    {
        var requests = await BeginAsync(proposals);
        for (int i = 0; i < 100 && requests.Any(static request => request.Outcome is null); i++)
            await TickAsync();
        Assert.All(requests, static request => Assert.NotNull(request.Outcome));
        return requests;
    }

    /// <summary>Begins transactions in one batch.</summary>
    public async Task<SerialRequest[]> BeginAsync(params SerialProposal[] proposals)
    {
        var requests = new List<SerialRequest>();
        await RunAsync(async batch =>
        {
            foreach (var proposal in proposals)
                requests.Add(await _sequencer.Caller.CommitAsync(batch, proposal, static _ => { }));
        });
        return [.. requests];
    }

    /// <summary>Sends a transaction again that has an outcome, as a caller does that has not got the reply.</summary>
    public Task SendAgainAsync(SerialRequest request) => RunAsync(batch => _sequencer.CommitAsync(batch, (CommitRequest)request.Message));

    /// <summary>Receives a reply of another node to a request of this one.</summary>
    public void Receive(SequencerReply reply) => _sequencer.Caller.OnReply(reply, _replica.Node, 0);

    /// <summary>Gets the founding that the store follows.</summary>
    public Founding Founding => _sequencer.State.Founding;

    /// <summary>Lets time pass, in which the sequencer does what is due.</summary>
    public Task TickAsync()
    {
        _time.Pass(TimeSpan.FromMilliseconds(100));
        return RunAsync(_sequencer.TickAsync);
    }

    /// <summary>Marks a keyspace as one that is being repaired, because a damaged document of it was replaced.</summary>
    public Task BeginRepairAsync(string keyspace) => RunAsync(batch => RecordRepairer.MustCount(batch, _replica.Catalog.Find(keyspace)!));

    /// <summary>Does the periodic work of the replica, which also closes the gap that a restart has left among its stamps.</summary>
    public Task TickReplicaAsync() => RunAsync(_replica.Tick);

    /// <summary>Lets time pass.</summary>
    public void Pass(TimeSpan time) => _time.Pass(time);

    /// <summary>Writes a transaction that merges, beside the sequence.</summary>
    public Task WriteAsync(Transaction transaction) => RunAsync(async batch => await _replica.WriteAsync(batch, transaction));

    public Task DeclareAsync(string keyspace, params DocumentIndex[] indexes) => RunAsync(batch => KeyspaceDeclarer.DeclareAsync(
        _replica, batch, new KeyspaceDeclaration(keyspace, MergePolicy.Serial, indexes), NullLogger.Instance, default));

    /// <summary>Builds the next parts of the indexes.</summary>
    public Task BuildIndexesAsync() => RunAsync(async batch => await IndexFiller.StepAsync(batch, _replica.Catalog, null, NullLogger.Instance, default));

    /// <summary>Damages the stored bytes of a document.</summary>
    public async Task DamageAsync(string keyspace, DocumentKey key)
    {
        var damage = new WriteBatch();
        damage.Put(StoreLayout.DocumentKey(_replica.Catalog.Find(keyspace)!.Number, key.Encoded.Span), new byte[] { 0xC1, 0xFF });
        await _storage.CommitAsync(damage, Datacake.Storage.Durability.Flushed);
    }

    /// <summary>Does work in a batch of its own.</summary>
    public async Task RunAsync(Func<ReplicaBatch, ValueTask> work)
    {
        var one = new Work(work);
        await _committer.CommitAsync([one]);
        if (one.Failure is { } failure)
            throw failure;
    }

    /// <summary>Returns a document that is alive, or null.</summary>
    public async Task<Document?> ReadAsync(string keyspace, DocumentKey key)
    {
        using var snapshot = await _storage.OpenSnapshotAsync();
        if (_replica.Catalog.Find(keyspace) is not { } found)
            return null;
        var document = await DocumentRecord.ReadAsync(snapshot, StoreLayout.DocumentKey(found.Number, key.Encoded.Span));
        return document.IsAlive(found.Policy) ? document : null;
    }

    public ValueTask DisposeAsync() => _storage.DisposeAsync();

    void OnCommitted(ReplicaBatch batch)
    {
        Board.Refresh();
        _sequencer.TellOutcomes();
    }

    Task RunAsync(Action<ReplicaBatch> work) => RunAsync(batch =>
    {
        work(batch);
        return ValueTask.CompletedTask;
    });
}
