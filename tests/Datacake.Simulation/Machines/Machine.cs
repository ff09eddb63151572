using Datacake.Crdt;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Caching;
using Datacake.EventualConsistency.Commits;
using Datacake.EventualConsistency.Indexes;
using Datacake.EventualConsistency.Integrity;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Leaving;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Sequencing;
using Datacake.Simulation.Histories;
using Datacake.Simulation.Scenarios;
using Datacake.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace Datacake.Simulation.Machines;

/// <summary>A machine of the cluster: its disk and clock and, while it runs, its replica and sessions.</summary>
sealed class Machine(int index, Scenario scenario, MachineFlaws flaws, SimulatedTime time)
{
    /// <summary>The size of the cache: enough for some of a scenario's documents.</summary>
    const long CacheLength = 64 * 1024;

    readonly List<Work> _waiting = [];
    BatchCommitter? _committer;
    HlcTimestamp _notedRun;

    public int Index { get; } = index;

    /// <summary>The node id.</summary>
    public byte Node => (byte)(Index + 1);

    /// <summary>Gets the keyspaces that the machine follows, or none for all; null for a machine of the cluster.</summary>
    public IReadOnlyList<string>? FollowedKeyspaces { get; init; }

    public SimulatedClock Clock { get; } = new(time);

    public SimulatedDisk Disk { get; private set; } = new(scenario.PageSize, flaws);

    /// <summary>Gets the storage over the disk while the machine runs.</summary>
    public CachedStorage Storage { get; private set; } = null!;

    /// <summary>Gets the number of suspected losses of documents at the time when the cache was last cleared because of one.</summary>
    public int SuspectedLosses { get; set; }

    /// <summary>Gets the part of the storage that verifies checksums.</summary>
    public ChecksummedStorage Checksummed { get; private set; } = null!;

    /// <summary>Gets the damaged records that the process has found.</summary>
    public DamageLog Damages { get; private set; } = new();

    /// <summary>Gets the damaged records that are not known to be repaired, whether or not the process has found them.</summary>
    public HashSet<StorageKey> Damaged { get; } = [];

    /// <summary>True if the disk has lost a document that is not restored yet.</summary>
    public bool IsIncomplete { get; set; }

    /// <summary>True if records are damaged, or if data derived from them is not recomputed yet.</summary>
    public bool IsBeingRepaired => IsIncomplete || Damaged.Count > 0 || Damages.Count > 0 || MustCount || MustBuild;

    /// <summary>True if data derived from repaired documents is not recomputed yet.</summary>
    public bool MustCount => Replica is { } replica && replica.Uncounted.Any();

    /// <summary>True if indexes are not built, or if entries of dropped indexes remain.</summary>
    public bool MustBuild => Replica is { } replica
        && replica.Catalog.All.Any(keyspace => keyspace.State.IndexRecords.Values.Any(record => record.Stage != IndexStage.Built));

    /// <summary>Gets the error of the last commit that the disk refused, or null if it accepted the last one.</summary>
    public Exception? StorageFailure => _committer?.StorageFailure;

    /// <summary>Gets the store id that a fresh store takes: one for each life of the disk.</summary>
    public ulong StoreId { get; private set; }

    /// <summary>The replica; <see langword="null"/> while the machine is down.</summary>
    public Replica? Replica { get; private set; }

    /// <summary>Gets the sequencer of serial transactions, if the scenario has any.</summary>
    public Sequencer? Sequencer { get; private set; }

    /// <summary>
    /// Gets what the sequencer has applied since this was last cleared. An entry is not sure if it is decided only by the commit that applies it, which may fail.
    /// </summary>
    public List<(Founding Founding, ulong Index, SequenceEntry Entry, bool IsSure)> Decided { get; } = [];

    /// <summary>Gets the voters that the sequencer has added since this was last cleared, the index of the last change and that up to which entries were decided then, and whether others waited.</summary>
    public List<(Founding Founding, Voter Voter, ulong LastChange, ulong Decided, bool HasWaiting)> VotersAdded { get; } = [];

    /// <summary>Gets or sets the serial transaction or read that a user of the machine makes.</summary>
    public SerialUse? Use { get; set; }

    /// <summary>Gets or sets the departure of the machine's store; null while it does not leave.</summary>
    public Departure? Departure { get; set; }

    /// <summary>Gets or sets the number of other members that must have everything before the store leaves, by the number of all others; null if it has never begun to leave.</summary>
    public Func<int, int>? RequiredToLeave { get; set; }

    public PullServer? PullServer { get; private set; }

    public bool IsUp => Replica is not null;

    public bool IsJoined => Replica is { IsJoined: true };

    /// <summary>True if the disk's replica had joined at the last commit. This is known even while the machine is down.</summary>
    public bool HadJoined { get; set; }

    /// <summary>True if the disk has replaced another one.</summary>
    public bool IsReplaced { get; private set; }

    /// <summary>True if the operator has allowed a fresh store to replace the previous one.</summary>
    public bool TakesOver { get; set; }

    /// <summary>
    /// True if the store had joined and then a copy from before the join was restored. Others know of the join, so the store will learn of it again.
    /// </summary>
    public bool HasUnlearnedJoin { get; private set; }

    public bool IsStalled { get; set; }

    /// <summary>Gets the streams that are still open on this side.</summary>
    public Dictionary<long, Link> Streams { get; } = [];

    /// <summary>Gets the stream of the last session with each peer.</summary>
    public Dictionary<Machine, Link> Links { get; } = [];

    /// <summary>Gets the streams that ended on this side, so that a late hello does not reopen one.</summary>
    public HashSet<long> Ended { get; } = [];

    /// <summary>Gets or sets the transactions that really reached the store.</summary>
    public Holdings Held { get; set; } = Holdings.None;

    /// <summary>True if the store knew all that it showed, and had no gap, when an operator last let it found the sequence anew.</summary>
    public bool IsWholeFounder { get; set; }

    /// <summary>Gets or sets the transactions in the copy that a joining store holds while it waits.</summary>
    public Holdings SeedHeld { get; set; } = Holdings.None;

    /// <summary>Gets or sets the transactions and the state of the received snapshot that waits to be reconciled.</summary>
    public (Holdings Held, ReplicaState State)? Arrived { get; set; }

    /// <summary>Gets or sets the merge of the transactions held: the documents that the store must show.</summary>
    public Document[] Ideal { get; set; } = Fresh(scenario);

    /// <summary>Gets or sets the stored entries and the replica's state at the last check. While both are unchanged, the check is not repeated.</summary>
    public (StorageEntry[] Entries, ReplicaState State)? Checked { get; set; }

    /// <summary>Gets or sets the documents at the last check in this life.</summary>
    public Document[]? Shown { get; set; }

    public IReadOnlyList<Work> Waiting => _waiting;

    /// <summary>Gets or sets, by machine index, the machine that is reached at the address where this one expects each machine.</summary>
    public Machine[] Book { get; set; } = [];

    /// <summary>Gets or sets the clock of an earlier life that the present clock must not be behind, since there may be no member to learn it from [R12].</summary>
    public DateTimeOffset? NeededClock { get; set; }

    /// <summary>Sets how far the wall clock leads the world's time, but never behind a needed clock of an earlier life.</summary>
    public void SetClock(TimeSpan offset) => Clock.Offset = NeededClock - time.Now + SimulatedTime.Unit is { } right && right > offset ? right : offset;

    /// <summary>Gets the copies of the disk that may be restored later.</summary>
    public List<(StorageEntry[] Entries, Holdings Held, ulong StoreId)> Backups { get; } = [];

    /// <summary>Gets or sets the greatest stamp that the store issued before the restore and that another machine knows.</summary>
    public HlcTimestamp TopIssued { get; set; }

    /// <summary>
    /// True if the store is an old copy that was started while the clock was behind stamps that were lost with the newer copy. The store issues
    /// these stamps again until another member tells it of them.
    /// </summary>
    public bool IsMisfit { get; set; }

    /// <summary>True if an old copy of the disk was restored while the clock was behind, so that the node may be told to remove it.</summary>
    public bool MayBeExcluded { get; set; }

    /// <summary>Gets the first run in which the store was such an old copy.</summary>
    public HlcTimestamp MisfitRun { get; private set; }

    /// <summary>True if the store has issued some of the lost stamps again.</summary>
    public bool HasWrittenAsMisfit { get; set; }

    /// <summary>Gets the last value of the node's hybrid clock, which may lead the wall clock.</summary>
    public DateTimeOffset LastClock { get; private set; }

    public static Document[] Fresh(Scenario scenario) => [.. scenario.Slots.Select(_ => Document.Nothing)];

    /// <summary>Inserts an empty disk for a while.</summary>
    /// <param name="storeId">The store id of the empty disk.</param>
    /// <param name="work">The work to do meanwhile.</param>
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

    /// <summary>Replaces the disk by an empty one.</summary>
    public void ReplaceDisk(ulong storeId)
    {
        Disk = new SimulatedDisk(scenario.PageSize, flaws);
        IsReplaced = StoreId != 0;
        StoreId = storeId;
        HadJoined = HasUnlearnedJoin = false;
        Damaged.Clear();
        IsIncomplete = false;
        IsMisfit = HasWrittenAsMisfit = MayBeExcluded = false;
        TopIssued = MisfitRun = HlcTimestamp.None;
        Held = Holdings.None;
        Ideal = Fresh(scenario);
        RequiredToLeave = null;
    }

    /// <summary>Replaces the disk's contents by a copy, and marks the store as restored, as whoever restores one does.</summary>
    public void PutBack(StorageEntry[] entries, Holdings held)
    {
        Disk.PutBack(entries, held);
        if (scenario.IsSerial && !flaws.RestoredStoresVote)
        {
            var mark = new WriteBatch { MayUseReserve = true };
            byte[] empty = new byte[RecordChecksum.Length];
            RecordChecksum.Write(StoreLayout.RestoredKey.Span, [], empty);
            mark.Put(StoreLayout.RestoredKey, empty);
            Disk.IsFailing = false;
            Now(Disk.CommitAsync(mark, Datacake.Storage.Durability.Flushed));
            Disk.Note(held);
        }
        Damaged.Clear();
        IsIncomplete = false;
        Held = held;
        HasUnlearnedJoin |= HadJoined;
        HadJoined = ReplicaIdentity.Decode(Disk.Get(StoreLayout.IdentityKey.Span)!.Value).IsJoined;
    }

    /// <summary>Starts the process, in the same way as the replicated store.</summary>
    public void Start(ulong boot, Action<ReplicaBatch> onCommitted, Action<Machine, ReplicaBatch> onPrepared)
    {
        var settings = new ReplicaSettings("simulation", "", flaws.LivesBeginAlike ? boot << 32 : boot, StoreId, Clock)
        {
            MaxStep = scenario.MaxStep,
            MaxExpired = scenario.MaxStep,
            MaxAsserted = scenario.MaxAsserted,
            MaxRemoved = scenario.MaxRemoved,
            Delay = (wait, _) =>
            {
                time.Pass(wait);
                return ValueTask.CompletedTask;
            },
            MaxDocumentLength = scenario.MaxDocumentLength,
            FollowedKeyspaces = FollowedKeyspaces,
            TakesOver = TakesOver && !scenario.HasOperator,
            Escrow = flaws.Escrow,
            Authority = scenario.HasOperator ? flaws.Authority : null,
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
        if (scenario.IsSerial)
        {
            using var stored = Now(storage.OpenSnapshotAsync());
            var sequencing = new SequencerSettings(Clock, new Random((int)boot))
            {
                IdleAfter = TimeSpan.FromSeconds(2),
                IdleFactor = 4,
                MaxVoters = scenario.MaxVoters,
                MaxMessageLength = scenario.MaxSequenceLength,
                MaxVoterLag = scenario.MaxVoterLag,
                OnVoterAdded = (voter, lastChange, decided) => VotersAdded.Add((Sequencer!.State.Founding, voter, lastChange, decided, Sequencer.Last > decided)),
                OnDecided = (index, entry) => Decided.Add((Sequencer!.State.Founding, index, entry, !Sequencer.IsOnlyVoter)),
            };
            Sequencer = flaws.NewSequencer(sequencing, replica, Now(SequenceLog.LoadAsync(stored, CancellationToken.None)));
        }
        _committer = new BatchCommitter(replica, storage, scenario.Durability, Clock, NullLogger.Instance, OnCommitted, sequencer: Sequencer, onPrepared: batch => onPrepared(this, batch));
        HadJoined = replica.IsJoined;
        _notedRun = HlcTimestamp.None;
        NoteRun();

        void OnCommitted(ReplicaBatch batch)
        {
            onCommitted(batch);
            Sequencer?.TellOutcomes();
        }
    }

    /// <summary>Records the replica's run, which is new or was restarted.</summary>
    public void NoteRun()
    {
        if (!IsJoined || Replica!.Run == _notedRun)
            return;
        _notedRun = Replica.Run;
        IsMisfit = HasWrittenAsMisfit || Replica.Run <= TopIssued;
        if (IsMisfit && MisfitRun.IsNone)
            MisfitRun = Replica.Run;
    }

    /// <summary>Returns true if the member table on the disk contains the node of another machine.</summary>
    public bool Remembers(Machine other) =>
        Disk.Get(StoreLayout.IdentityKey.Span) is { } identity && ReplicaIdentity.Decode(identity).Members.ContainsKey(other.Node);

    /// <summary>Ends the process, for whatever reason.</summary>
    public void Stop()
    {
        LastClock = Replica?.Hello().Clock.Time ?? LastClock;
        Replica = null;
        Sequencer = null;
        Departure = null;
        Use = null;
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

    /// <summary>Commits all waiting work as one batch.</summary>
    /// <returns>The committed work.</returns>
    public Work[] Commit()
    {
        Work[] work = [.. _waiting];
        _waiting.Clear();
        Now(_committer!.CommitAsync(work));
        return work;
    }

    /// <summary>Returns the result of an operation that completes synchronously, as all operations do here.</summary>
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
    public static readonly DocumentIndex ByContent = new("by content", "1", static (document, values) =>
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
