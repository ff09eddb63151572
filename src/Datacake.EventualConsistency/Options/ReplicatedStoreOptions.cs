using Datacake.EventualConsistency.Keyspaces;
using Datacake.Storage;

namespace Datacake.EventualConsistency;

/// <summary>The settings of a <see cref="ReplicatedStore"/>. Each default suits nodes on one network.</summary>
public sealed class ReplicatedStoreOptions
{
    static readonly TimeSpan LongestInterval = TimeSpan.FromDays(1);
    static readonly TimeSpan LongestTimer = TimeSpan.FromDays(49);

    /// <summary>What a commit survives before it counts as done, here and when another node acknowledges it. Default: <see cref="Durability.Flushed"/>.</summary>
    public Durability Durability { get; set; } = Durability.Flushed;

    /// <summary>Gets or sets the time that a commit or a read at a level waits for the other replicas; 49 days or more mean no limit. Default: 10 s.</summary>
    public TimeSpan AcknowledgementTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Gets or sets the time that an operation on a fresh store waits for the store to join its cluster; 49 days or more mean no limit. Default: 30 s.</summary>
    public TimeSpan JoinTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// True if this node forms a new cluster when its store is fresh, though it cannot reach all its seeds. For the first start of the first node only: with an
    /// empty disk it would form another cluster, which the nodes of the existing one refuse. Default: false; a fresh node forms a cluster if it has no
    /// seeds but itself, or if all its seeds answer that they are fresh, too, and it has the lowest node id.
    /// </summary>
    public bool FormCluster { get; set; }

    /// <summary>
    /// Gets or sets a value that lets a fresh store take the place of another one that the cluster knows under this node id, and whose files are lost. That store is retired for good, with
    /// all that it has written and no other node has. Set it for the first start with an empty disk, or for nodes whose disks are empty after every restart. Stores
    /// in memory take the place of one another without it. Where the nodes have operator keys, it is refused: retire the old store instead. Default: false; the members refuse the
    /// fresh store, and say so.
    /// </summary>
    public bool TakeOverNodeId { get; set; }

    /// <summary>
    /// How many nodes the cluster has at least, from 1 to 255. It is not formed before so many fresh nodes have met, and <c>Quorum</c> and <c>All</c> count at least
    /// so many members. Default: 1.
    /// </summary>
    public int ExpectedNodes { get; set; } = 1;

    /// <summary>
    /// True if a fresh store answers reads before it has joined its cluster, from nothing or from the part of the data that has come. Default: false; reads wait
    /// for at most <see cref="JoinTimeout"/>, as writes do.
    /// </summary>
    public bool ReadBeforeJoined { get; set; }

    /// <summary>
    /// Up to when this node accepts stamps though they lead its wall clock by more than 7 days: for a fresh node in a cluster whose clocks were once that far
    /// ahead. Null for not at all, which is the default.
    /// </summary>
    public DateTimeOffset? AcceptStampsUpTo { get; set; }

    /// <summary>
    /// How often a replica tells each peer what it knows, so that the peer can fetch what it lacks and forget what all have. Shorter finds
    /// differences sooner and costs some hundred bytes a peer each time. Default: 500 ms.
    /// </summary>
    public TimeSpan ReportInterval { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// How long a store that closes waits until the peers in session have all that this node has written; zero for not at all. Longer: less is left behind when
    /// a peer is slow; the stop takes longer. Default: 5 s.
    /// </summary>
    public TimeSpan StopTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>The largest document, in encoded bytes. Default: 8 MiB.</summary>
    public int MaxDocumentLength { get; set; } = 8 * 1024 * 1024;

    /// <summary>
    /// Gets or sets how many documents a full reconcile may remove on the word of one member. A node that was forgotten, or that a faulty member tells so, takes over the
    /// data of another in full. If that would remove more, it waits until a second member says the same, or <see cref="ReplicatedStore.AllowRemovalAsync"/> is called.
    /// Default: 100.
    /// </summary>
    public int MaxRemovedByReconcile { get; set; } = 100;

    /// <summary>
    /// Gets or sets the time from one reading of everything that is stored to the next; zero for no reading. A durable store reads all its records in the
    /// background, from its opening on, to find what the disk has changed while other nodes still have it. It takes a twentieth of a core meanwhile. Default: 7 days.
    /// </summary>
    public TimeSpan ScrubInterval { get; set; } = TimeSpan.FromDays(7);

    /// <summary>
    /// Gets the keyspaces that the application declares. The store knows them before it takes anything from other nodes: an index that is declared later, when
    /// documents have changed meanwhile, is built again. Default: none.
    /// </summary>
    public IList<KeyspaceDeclaration> Declarations { get; } = [];

    /// <summary>How many commits may wait for the writer before further callers have to. Default: 8,192.</summary>
    public int MaxPendingCommits { get; set; } = 8_192;

    /// <summary>
    /// How many bytes of changes wait for one slow watcher, before it takes what it missed from the store, where it finds the latest state of each
    /// document only. Default: 16 MiB.
    /// </summary>
    public long MaxWatchBufferLength { get; set; } = 16 * 1024 * 1024;

    /// <summary>
    /// How many bytes of memory documents may take that were read by key, by a find or through an index, so that they need not be looked for in the storage
    /// again. More helps as long as what is read over and over does not fit; 0 turns it off. Storage in memory needs none. Default: 16 MiB.
    /// </summary>
    public long MaxCacheLength { get; set; } = 16 * 1024 * 1024;

    /// <summary>Returns a time for a timer: one that is longer than timers take stands for ever.</summary>
    internal static TimeSpan ToTimer(TimeSpan time) => time < LongestTimer ? time : Timeout.InfiniteTimeSpan;

    internal void Validate()
    {
        Check(AcknowledgementTimeout > TimeSpan.Zero, nameof(AcknowledgementTimeout), AcknowledgementTimeout, "positive");
        Check(JoinTimeout > TimeSpan.Zero, nameof(JoinTimeout), JoinTimeout, "positive");
        Check(ExpectedNodes is >= 1 and <= 255, nameof(ExpectedNodes), ExpectedNodes, "from 1 to 255");
        Check(ReportInterval >= TimeSpan.FromMilliseconds(10) && ReportInterval <= LongestInterval, nameof(ReportInterval), ReportInterval, "from 10 ms to 1 day");
        Check(StopTimeout >= TimeSpan.Zero && StopTimeout <= LongestInterval, nameof(StopTimeout), StopTimeout, "from zero to 1 day");
        Check(MaxDocumentLength is >= 1_024 and <= 256 * 1024 * 1024, nameof(MaxDocumentLength), MaxDocumentLength, "from 1 KiB to 256 MiB");
        Check(MaxWatchBufferLength >= 0, nameof(MaxWatchBufferLength), MaxWatchBufferLength, "zero or more");
        Check(MaxRemovedByReconcile >= 0, nameof(MaxRemovedByReconcile), MaxRemovedByReconcile, "zero or more");
        foreach (var declaration in Declarations)
            KeyspaceCatalog.CheckArgument(declaration.Name, nameof(Declarations));
        Check(ScrubInterval >= TimeSpan.Zero, nameof(ScrubInterval), ScrubInterval, "zero or more");
        Check(MaxCacheLength >= 0, nameof(MaxCacheLength), MaxCacheLength, "zero or more");
        Check(MaxPendingCommits is >= 1 and <= 1_000_000, nameof(MaxPendingCommits), MaxPendingCommits, "from 1 to 1,000,000");

        static void Check(bool isValid, string name, object value, string allowed)
        {
            if (!isValid)
                throw new ArgumentException($"{nameof(ReplicatedStoreOptions)}.{name} is {value}; it must be {allowed}.");
        }
    }
}
