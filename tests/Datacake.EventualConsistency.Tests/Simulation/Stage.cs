using System.Collections.Immutable;
using Datacake.Crdt;
using Datacake.EventualConsistency.Integrity;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Simulation.Machines;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Tests.Simulation;

/// <summary>
/// Replicas that a test controls step by step, for behavior that depends on a particular order of messages. Replicas send, receive and commit
/// only what the test tells them to.
/// </summary>
sealed class Stage(IRetirementAuthority? authority = null) : IAsyncDisposable
{
    readonly SortedDictionary<byte, Actor> _actors = [];
    readonly SimulatedTime _time = new();
    ulong _lastId;

    public Actor this[byte node] => _actors[node];

    /// <summary>Returns a fresh store with the id of a node on the stage. No operator has allowed it to take over.</summary>
    public async Task<Actor> StartImpostorAsync(byte node)
    {
        var impostor = new Actor(node, ++_lastId, takesOver: false, new SimulatedClock(_time), authority);
        await impostor.StartAsync(++_lastId);
        return impostor;
    }

    /// <summary>Starts nodes numbered from 1, all joined and in session with each other.</summary>
    public static async Task<Stage> StartAsync(int nodes, IRetirementAuthority? authority = null)
    {
        var stage = new Stage(authority);
        for (byte node = 1; node <= nodes; node++)
        {
            await stage.AddAsync(node);
            if (node == 1)
                await stage[node].CommitAsync(_ => stage[1].Replica.Bootstrap());
            else
                await stage.JoinAsync(node, 1);
            for (byte other = 2; other < node; other++)
                await stage.MeetAsync(node, other);
        }
        foreach (var (from, to) in stage.Pairs())
            await stage.ReportAsync(from, to);
        Assert.All(stage._actors.Values, actor => Assert.True(actor.Replica.IsJoined));
        return stage;
    }

    /// <summary>Adds a node with a fresh store, or replaces the disk of an existing node.</summary>
    public async Task AddAsync(byte node, TimeSpan clockOffset = default, ProtocolVersion? protocol = null)
    {
        bool isReplaced = _actors.TryGetValue(node, out var replaced);
        if (replaced is not null)
        {
            await replaced.DisposeAsync();
            foreach (var other in _actors.Values.Where(other => other != replaced))
                await other.CloseAsync(node);
        }
        _actors[node] = new Actor(node, ++_lastId, takesOver: isReplaced, new SimulatedClock(_time) { Offset = clockOffset }, authority, protocol);
        await RestartAsync(node);
    }

    public Task RestartAsync(byte node) => _actors[node].StartAsync(++_lastId);

    /// <summary>Opens a session in which each side receives the current hello of the other.</summary>
    public async Task MeetAsync(byte a, byte b)
    {
        Hello ofA = this[a].Replica.Hello(), ofB = this[b].Replica.Hello();
        await this[a].OpenAsync(ofB, isDialer: true);
        await this[b].OpenAsync(ofA);
    }

    /// <summary>Lets a fresh node join through another node.</summary>
    public async Task JoinAsync(byte node, byte over)
    {
        await MeetAsync(node, over);
        await PullAsync(node, over);
    }

    /// <summary>Lets a node pull from another in their session, delivers at most the given number of parts, and returns them.</summary>
    public async Task<List<ReplicaMessage>> PullAsync(byte node, byte over, int pages = int.MaxValue)
    {
        var asking = await this[node].CommitAsync(batch => this[node].Replica.StartPull(batch, over));
        var parts = await this[over].AnswerAsync((PullRequest)asking.Outbox.Single().Message, ++_lastId);
        foreach (var part in parts.Take(pages))
            await DeliverAsync(over, node, part);
        return parts;
    }

    /// <summary>Encodes and decodes a message and delivers it in the session of two nodes.</summary>
    public Task<ReplicaBatch> DeliverAsync(byte from, byte to, ReplicaMessage message) =>
        this[to].CommitAsync(batch => this[to].ReceiveAsync(batch, from, message));

    /// <summary>Lets a node call the roll. All peers in session with the node answer.</summary>
    public async Task CallRollAsync(byte node)
    {
        var calling = await this[node].CommitAsync(this[node].Replica.Tick);
        foreach (var (peer, _, call) in calling.Outbox.Where(sent => sent.Message is RollCall))
        {
            var answering = await DeliverAsync(node, peer!.Value, call);
            await DeliverAsync(peer.Value, node, answering.Outbox.Single().Message);
        }
    }

    /// <summary>Delivers a node's report about all members to another node.</summary>
    public async Task ReportAsync(byte from, byte to) => await DeliverAsync(from, to, await this[from].ReportAsync());

    public async ValueTask DisposeAsync()
    {
        foreach (var actor in _actors.Values)
            await actor.DisposeAsync();
    }

    IEnumerable<(byte From, byte To)> Pairs() => from a in _actors.Keys from b in _actors.Keys where a != b select (a, b);
}

/// <summary>A node of a stage.</summary>
sealed class Actor(byte node, ulong storeId, bool takesOver, SimulatedClock clock, IRetirementAuthority? authority, ProtocolVersion? protocol = null) : IAsyncDisposable
{
    readonly MemoryStorage _storage = new();

    public Replica Replica { get; private set; } = null!;

    public async Task StartAsync(ulong boot)
    {
        using var snapshot = await _storage.OpenSnapshotAsync();
        (Replica, var batch) = await Replica.OpenAsync(
            new ReplicaSettings("stage", "", boot, storeId, clock) { TakesOver = takesOver, Authority = authority, Protocol = protocol ?? ProtocolVersion.Current }, new HybridLogicalClock(node, clock), _storage, snapshot, default);
        await _storage.CommitAsync(Replica.Prepare(batch).Batch, Datacake.Storage.Durability.Buffered);
        Replica.Complete(batch);
    }

    public ValueTask DisposeAsync() => _storage.DisposeAsync();

    public Task OpenAsync(Hello hello, bool isDialer = false) => CommitAsync(batch =>
    {
        Assert.Null(Replica.Refuse(hello, isDialer));
        Replica.OpenSession(batch, hello, isDialer);
    });

    public Task CloseAsync(byte peer) => CommitAsync(_ =>
    {
        if (Replica.Sessions.TryGetValue(peer, out var session))
            Replica.CloseSession(peer, session.Id);
    });

    public Task<ReplicaBatch> CommitAsync(Action<ReplicaBatch> work) => CommitAsync(batch =>
    {
        work(batch);
        return ValueTask.CompletedTask;
    });

    public async Task<ReplicaBatch> CommitAsync(Func<ReplicaBatch, ValueTask> work)
    {
        using var snapshot = await _storage.OpenSnapshotAsync();
        var batch = Replica.Begin(snapshot);
        await Replica.ReconcileAsync(batch, default);
        await work(batch);
        await _storage.CommitAsync(Replica.Prepare(batch).Batch, Datacake.Storage.Durability.Buffered);
        Replica.Complete(batch);
        return batch;
    }

    public async ValueTask ReceiveAsync(ReplicaBatch batch, byte from, ReplicaMessage message) =>
        await Replica.ReceiveAsync(batch, from, Replica.Sessions[from].Id, ReplicaMessage.Decode(message.Encoded), default);

    /// <summary>Commits a transaction and returns the message that replicates it.</summary>
    public async Task<Mutations> WriteAsync(Action<Transaction> build)
    {
        var transaction = new Transaction();
        build(transaction);
        var batch = await CommitAsync(async batch => await Replica.WriteAsync(batch, transaction));
        return new Mutations(batch.Mutations);
    }

    public async Task<Report> ReportAsync()
    {
        Report? report = null;
        await CommitAsync(batch => report = Replica.Report(batch));
        return report!;
    }

    public async Task<List<ReplicaMessage>> AnswerAsync(PullRequest request, ulong stream, int maxPartLength = 1, bool isOfLower = true)
    {
        using var snapshot = await _storage.OpenSnapshotAsync();
        var parts = new List<ReplicaMessage>();
        await foreach (var part in new PullServer(Replica.Catalog, maxPartLength).AnswerAsync(snapshot, request, isOfLower, stream))
            parts.Add(part);
        return parts;
    }

    /// <summary>Returns all stored documents by keyspace and key.</summary>
    public async Task<SortedDictionary<string, Document>> DocumentsAsync()
    {
        using var snapshot = await _storage.OpenSnapshotAsync();
        var documents = new SortedDictionary<string, Document>(StringComparer.Ordinal);
        await foreach (var (key, value) in snapshot.ReadAllAsync(StoreLayout.AllDocuments))
        {
            string keyspace = Replica.Catalog[StoreLayout.KeyspaceOf(key.Span)].Name;
            documents.Add($"{keyspace} {Convert.ToHexString(key.Span[StoreLayout.DocumentPrefixLength..])}", Document.Parse(value.ToArray()));
        }
        return documents;
    }

    /// <summary>Reads and recomputes everything, and returns the errors found.</summary>
    public async Task<IReadOnlyList<string>> FindingsAsync()
    {
        using var snapshot = await _storage.OpenSnapshotAsync();
        var verifier = new StoreVerifier(snapshot, Replica.Catalog, ImmutableDictionary<string, KeyspaceView>.Empty, new DamageLog());
        await verifier.RunAsync(default);
        return verifier.Findings;
    }

    /// <summary>Returns the stamps in the log.</summary>
    public async Task<HlcTimestamp[]> LogAsync() =>
        [.. from record in await LogRecordsAsync() from transaction in record.Transactions select transaction.Stamp];

    /// <summary>Returns the records of the log.</summary>
    public async Task<List<LogRecord>> LogRecordsAsync()
    {
        using var snapshot = await _storage.OpenSnapshotAsync();
        var records = new List<LogRecord>();
        await foreach (var record in TransactionLog.ReadAllAsync(snapshot))
            records.Add(record);
        return records;
    }
}
