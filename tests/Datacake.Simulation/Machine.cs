using Datacake.Crdt;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Caching;
using Datacake.EventualConsistency.Commits;
using Datacake.EventualConsistency.Integrity;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication;
using Datacake.Simulation.Mutants;
using Datacake.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace Datacake.Simulation;

/// <summary>One side of a stream between two machines; a session, once hellos have been exchanged.</summary>
sealed class Link(long stream, Machine peer, bool isDialer)
{
    public long Stream { get; } = stream;

    public Machine Peer { get; } = peer;

    /// <summary>The store that the peer had when the stream was opened.</summary>
    public ulong PeerStore { get; } = peer.StoreId;

    public bool IsDialer { get; } = isDialer;

    /// <summary>The session's id in the replica; 0 until it is open.</summary>
    public long Session { get; set; }

    /// <summary>The number of ticks that the dialer has waited for an answer.</summary>
    public int Ticks { get; set; }
}

/// <summary>Something that changes a replica, on its way through a batch.</summary>
sealed class Work(Func<ReplicaBatch, ValueTask> apply) : CommitWork
{
    /// <summary>The batch that it was applied to.</summary>
    public ReplicaBatch? Batch { get; private set; }

    /// <summary>The transactions that it may bring.</summary>
    public Holdings Offered { get; init; } = Holdings.None;

    /// <summary>True if it is committed also to a full disk.</summary>
    public bool IsSmall { get; init; }

    public override bool MayUseReserve => IsSmall;

    /// <summary>The machine whose message it is.</summary>
    public Machine? Sender { get; init; }

    public override byte? Peer => Sender?.Node;

    /// <summary>Why it failed, if it did.</summary>
    public Exception? Failure { get; private set; }

    public Action? Committed { get; init; }

    public Action<Exception>? Failed { get; init; }

    public override ValueTask ApplyAsync(ReplicaBatch batch, CancellationToken cancellationToken)
    {
        Batch = batch;
        return apply(batch);
    }

    public override void OnCommitted() => Committed?.Invoke();

    public override void OnFailed(Exception failure)
    {
        Failure = failure;
        Failed?.Invoke(failure);
    }
}

/// <summary>A machine of the cluster: its disk and clock, and, while it runs, its replica with its sessions.</summary>
sealed class Machine(int index, Scenario scenario, Mutant mutant, SimulatedTime time)
{
    /// <summary>For some of the documents of a scenario.</summary>
    const long CacheLength = 64 * 1024;

    readonly List<Work> _waiting = [];
    BatchCommitter? _committer;
    HlcTimestamp _notedRun;

    public int Index { get; } = index;

    /// <summary>The node id.</summary>
    public byte Node => (byte)(Index + 1);

    public SimulatedClock Clock { get; } = new(time);

    public SimulatedDisk Disk { get; private set; } = new(scenario.PageSize, mutant);

    /// <summary>Gets the storage over the disk, of a machine that runs.</summary>
    public CachedStorage Storage { get; private set; } = null!;

    /// <summary>Gets the number of times that the process has suspected lost documents, as of the last time that the cache was cleared for it.</summary>
    public int SuspectedLosses { get; set; }

    /// <summary>Gets the part of the storage that verifies checksums.</summary>
    public ChecksummedStorage Checksummed { get; private set; } = null!;

    /// <summary>Gets the damaged records that the process has found.</summary>
    public DamageLog Damages { get; private set; } = new();

    /// <summary>Gets the records that were damaged and are not known to be right again, whether they were found or not.</summary>
    public HashSet<StorageKey> Damaged { get; } = [];

    /// <summary>True if the disk has lost a document that is not back yet.</summary>
    public bool IsIncomplete { get; set; }

    /// <summary>True if records are damaged, or what follows from them is not computed again yet.</summary>
    public bool IsBeingMended => IsIncomplete || Damaged.Count > 0 || Damages.Count > 0 || MustCount || MustBuild;

    /// <summary>True if what follows from mended documents is not computed again yet.</summary>
    public bool MustCount => Replica is { } replica && replica.Uncounted.Any();

    /// <summary>True if indexes are not built, or entries of dropped ones are left.</summary>
    public bool MustBuild => Replica is { } replica
        && replica.Catalog.All.Any(keyspace => keyspace.State.IndexRecords.Values.Any(record => record.Stage != IndexStage.Built));

    /// <summary>The store id that a fresh store takes: one per life of the disk.</summary>
    public ulong StoreId { get; private set; }

    /// <summary>The replica; <see langword="null"/> while the machine is down.</summary>
    public Replica? Replica { get; private set; }

    public PullServer? PullServer { get; private set; }

    public bool IsUp => Replica is not null;

    public bool IsJoined => Replica is { IsJoined: true };

    /// <summary>Whether the disk's replica had joined as of the last commit; known of a machine that is down, too.</summary>
    public bool HadJoined { get; set; }

    /// <summary>True if the disk has replaced another one.</summary>
    public bool IsReplaced { get; private set; }

    /// <summary>True if the operator has said that a fresh store may take the place of the one before it.</summary>
    public bool TakesOver { get; set; }

    /// <summary>True if the store has joined, and an old copy from before that was put back: what others heard of it once, it will know again.</summary>
    public bool HasUnlearnedJoin { get; private set; }

    public bool IsStalled { get; set; }

    /// <summary>The streams that are not over on this side.</summary>
    public Dictionary<long, Link> Streams { get; } = [];

    /// <summary>For each peer the stream of the last session.</summary>
    public Dictionary<Machine, Link> Links { get; } = [];

    /// <summary>The streams that ended here, so that a hello that is late opens none of them again.</summary>
    public HashSet<long> Ended { get; } = [];

    /// <summary>The transactions that really reached the store.</summary>
    public Holdings Held { get; set; } = Holdings.None;

    /// <summary>Those of the copy with which a joining store waits.</summary>
    public Holdings SeedHeld { get; set; } = Holdings.None;

    /// <summary>Those of the snapshot that lies aside, waiting to be reconciled, and what it has truncated.</summary>
    public (Holdings Held, ReplicaState State)? Arrived { get; set; }

    /// <summary>The merge of the transactions held: what the store has to show.</summary>
    public Document[] Ideal { get; set; } = Fresh(scenario);

    /// <summary>What is stored, and what the replica knows, as of the last check: as long as both are the same, it need not be repeated.</summary>
    public (StorageEntry[] Entries, ReplicaState State)? Checked { get; set; }

    /// <summary>The documents as of the last check of this life.</summary>
    public Document[]? Shown { get; set; }

    public IReadOnlyList<Work> Waiting => _waiting;

    /// <summary>For each machine, by its index, the machine that is at the address at which this one looks for it.</summary>
    public Machine[] Book { get; set; } = [];

    /// <summary>The clock of an earlier life, if the present one must not be behind it, since nobody may be asked for it [R12].</summary>
    public DateTimeOffset? NeededClock { get; set; }

    /// <summary>Sets the wall clock so far ahead of the world's time, unless it would be behind that of an earlier life which nobody may know.</summary>
    public void SetClock(TimeSpan offset) => Clock.Offset = NeededClock - time.Now + SimulatedTime.Unit is { } right && right > offset ? right : offset;

    /// <summary>Copies of the disk, to be put back some day.</summary>
    public List<(StorageEntry[] Entries, Holdings Held, ulong StoreId)> Backups { get; } = [];

    /// <summary>The greatest stamp of the store, before it was put back, that another machine knows.</summary>
    public HlcTimestamp TopIssued { get; set; }

    /// <summary>
    /// Whether the store is an old copy that was started while the clock was behind stamps that were lost with it: it uses them again, until somebody
    /// tells it.
    /// </summary>
    public bool IsMisfit { get; set; }

    /// <summary>True if the disk is an old copy that was put back with a clock that was behind, so that the node may be told to remove it.</summary>
    public bool MayBeExcluded { get; set; }

    /// <summary>The first run in which it did so.</summary>
    public HlcTimestamp MisfitRun { get; private set; }

    /// <summary>True if it has used some of them.</summary>
    public bool HasWrittenAsMisfit { get; set; }

    /// <summary>When the node's clock last was, whatever the wall clock says.</summary>
    public DateTimeOffset LastClock { get; private set; }

    public static Document[] Fresh(Scenario scenario) => [.. scenario.Slots.Select(_ => Document.Nothing)];

    /// <summary>Puts in an empty disk for a while.</summary>
    /// <param name="storeId">The store id of the empty disk.</param>
    /// <param name="work">What happens meanwhile.</param>
    public void WithEmptyDisk(ulong storeId, Action work)
    {
        var (disk, store, held, ideal, hadJoined, hasUnlearnedJoin) = (Disk, StoreId, Held, Ideal, HadJoined, HasUnlearnedJoin);
        var (misfitRun, topIssued, takesOver, isReplaced) = (MisfitRun, TopIssued, TakesOver, IsReplaced);
        ReplaceDisk(storeId);
        TakesOver = false;
        work();
        (Disk, StoreId, Held, Ideal, HadJoined, HasUnlearnedJoin) = (disk, store, held, ideal, hadJoined, hasUnlearnedJoin);
        (MisfitRun, TopIssued, TakesOver, IsReplaced) = (misfitRun, topIssued, takesOver, isReplaced);
    }

    /// <summary>Puts in an empty disk.</summary>
    public void ReplaceDisk(ulong storeId)
    {
        Disk = new SimulatedDisk(scenario.PageSize, mutant);
        IsReplaced = StoreId != 0;
        StoreId = storeId;
        HadJoined = HasUnlearnedJoin = false;
        Damaged.Clear();
        IsIncomplete = false;
        IsMisfit = HasWrittenAsMisfit = MayBeExcluded = false;
        TopIssued = MisfitRun = HlcTimestamp.None;
        Held = Holdings.None;
        Ideal = Fresh(scenario);
    }

    /// <summary>Puts a copy of the disk in its place.</summary>
    public void PutBack(StorageEntry[] entries, Holdings held)
    {
        Disk.PutBack(entries, held);
        Damaged.Clear();
        IsIncomplete = false;
        Held = held;
        HasUnlearnedJoin |= HadJoined;
        HadJoined = ReplicaIdentity.Decode(Disk.Get(StoreLayout.IdentityKey.Span)!.Value).IsJoined;
    }

    /// <summary>Starts the process, as the replicated store does it.</summary>
    public void Start(ulong boot, Action<ReplicaBatch> onCommitted)
    {
        var settings = new ReplicaSettings("simulation", "", mutant.LivesBeginAlike ? boot << 32 : boot, StoreId, Clock)
        {
            MaxStep = scenario.MaxStep,
            MaxAsserted = scenario.MaxAsserted,
            MaxRemoved = scenario.MaxRemoved,
            Delay = (wait, _) =>
            {
                time.Pass(wait);
                return ValueTask.CompletedTask;
            },
            MaxDocumentLength = scenario.MaxDocumentLength,
            TakesOver = TakesOver && !scenario.HasOperator,
            Authority = scenario.HasOperator ? mutant.Authority : null,
        };
        Damages = new DamageLog();
        SuspectedLosses = 0;
        Checksummed = new ChecksummedStorage(Disk, Damages);
        var storage = Storage = new CachedStorage(Checksummed, new DocumentCache(CacheLength));
        using var snapshot = Now(storage.OpenSnapshotAsync());
        var (replica, batch) = Now(
            Replica.OpenAsync(settings, new HybridLogicalClock(Node, Clock), storage, snapshot, CancellationToken.None));
        foreach (var keyspace in scenario.Slots.DistinctBy(slot => slot.Keyspace).Where(slot => !slot.IsUndeclared))
        {
            var declaration = new KeyspaceDeclaration(keyspace.Keyspace, keyspace.Policy, [ByContent]);
            Now(KeyspaceDeclarer.DeclareAsync(replica, batch, declaration, NullLogger.Instance, CancellationToken.None));
        }
        var write = replica.Prepare(batch).Batch;
        write.MayUseReserve = true;
        Now(storage.CommitAsync(write, Datacake.Storage.Durability.Flushed));
        Disk.Note(Held);
        replica.Complete(batch);
        Replica = replica;
        PullServer = new PullServer(replica.Catalog, scenario.PartLength);
        _committer = new BatchCommitter(replica, storage, scenario.Durability, NullLogger.Instance, onCommitted);
        HadJoined = replica.IsJoined;
        _notedRun = HlcTimestamp.None;
        NoteRun();
    }

    /// <summary>Looks at the run of the replica, which is new, or was begun anew.</summary>
    public void NoteRun()
    {
        if (!IsJoined || Replica!.Run == _notedRun)
            return;
        _notedRun = Replica.Run;
        IsMisfit = HasWrittenAsMisfit || Replica.Run <= TopIssued;
        if (IsMisfit && MisfitRun.IsNone)
            MisfitRun = Replica.Run;
    }

    /// <summary>Whether the member table on the disk has the node of another machine.</summary>
    public bool Remembers(Machine other) =>
        Disk.Get(StoreLayout.IdentityKey.Span) is { } identity && ReplicaIdentity.Decode(identity).Members.ContainsKey(other.Node);

    /// <summary>The process ends, in whichever way.</summary>
    public void Stop()
    {
        LastClock = Replica?.Hello().Clock.Time ?? LastClock;
        Replica = null;
        PullServer = null;
        _committer = null;
        IsStalled = false;
        _waiting.Clear();
        Streams.Clear();
        Links.Clear();
        SeedHeld = Holdings.None;
        Arrived = null;
        Shown = null;
    }

    public void Queue(Work work) => _waiting.Add(work);

    /// <summary>Commits all that waits as one batch.</summary>
    /// <returns>What it was.</returns>
    public Work[] Commit()
    {
        Work[] work = [.. _waiting];
        _waiting.Clear();
        Now(_committer!.CommitAsync(work));
        return work;
    }

    /// <summary>The result of an operation that needs nothing to wait for, as all do here.</summary>
    public static T Now<T>(ValueTask<T> operation) => operation.IsCompleted ? operation.GetAwaiter().GetResult() : throw NotNow();

    /// <inheritdoc cref="Now{T}"/>
    public static void Now(ValueTask operation)
    {
        if (!operation.IsCompleted)
            throw NotNow();
        operation.GetAwaiter().GetResult();
    }

    static InvalidOperationException NotNow() => new("The code under test waits for something that is not simulated.");

    /// <summary>An index on a property and on the elements of a set.</summary>
    static readonly DocumentIndex ByContent = new("by content", "1", static (document, values) =>
    {
        foreach (var cell in document.Cells)
        {
            if (!cell.IsShown(document.Born) || (cell.Kind == DocumentPathKind.Property && cell.Property[0] != (byte)'p'))
                continue;
            if (cell.Kind is DocumentPathKind.Property or DocumentPathKind.Element)
            {
                values.Writer.Write(cell.Kind == DocumentPathKind.Property ? cell.Value : cell.Element);
                values.Add();
            }
        }
    });
}
