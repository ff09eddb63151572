using Datacake.EventualConsistency.Keyspaces;
using Datacake.Node;
using Datacake.Storage;

namespace Datacake.EventualConsistency;

/// <summary>The settings of a <see cref="ReplicatedStore"/>. The defaults suit nodes on one network.</summary>
public sealed class ReplicatedStoreOptions
{
    /// <summary>The maximum number of keyspaces that a follower can ask for.</summary>
    internal const int MaxFollowedKeyspaces = 1_024;

    static readonly TimeSpan LongestInterval = TimeSpan.FromDays(1);
    static readonly TimeSpan LongestRetention = TimeSpan.FromDays(365);
    static readonly TimeSpan LongestTimer = TimeSpan.FromDays(49);

    /// <summary>
    /// Gets or sets what a commit survives before it counts as done, on this node and on each node that acknowledges it. Default:
    /// <see cref="Durability.Flushed"/>.
    /// </summary>
    public Durability Durability { get; set; } = Durability.Flushed;

    /// <summary>
    /// Gets or sets how long a commit or a read at a consistency level waits for other replicas; 49 days or more means no limit. Default:
    /// 10 s.
    /// </summary>
    public TimeSpan AcknowledgmentTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Gets or sets how long an operation on a fresh store waits for the store to join its cluster; 49 days or more means no limit.
    /// Default: 30 s.
    /// </summary>
    public TimeSpan JoinTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Gets or sets a value that makes this node form a new cluster if its store is fresh, even if it cannot reach all of its seeds. Set it
    /// for the first start of the first node only: with an empty disk, the node would form another cluster, which the nodes of the existing
    /// one refuse. Default: false. A fresh node then forms a cluster only if it has no seeds other than itself, or if all of its seeds
    /// answer, are fresh, too, and it has the lowest node id.
    /// </summary>
    public bool FormCluster { get; set; }

    /// <summary>
    /// Gets or sets a value that lets a fresh store replace the store that the cluster knows under this node id and whose files are lost.
    /// The old store is retired for good, together with everything that it wrote and no other node has. Set it for the first start with an
    /// empty disk, or permanently for nodes whose disks are empty after every restart. In-memory stores replace one another without it. On
    /// a node that has operator keys, it is refused: retire the old store instead. Default: false; the members refuse the fresh store and
    /// say so.
    /// </summary>
    public bool TakeOverNodeId { get; set; }

    /// <summary>
    /// Gets or sets the minimum number of nodes in the cluster, from 1 to 255. No cluster is formed before this many fresh nodes have met,
    /// and <c>Quorum</c> and <c>All</c> count at least this many members. Default: 1.
    /// </summary>
    public int ExpectedNodes { get; set; } = 1;

    /// <summary>
    /// Gets or sets a value that makes a fresh store answer reads before it has joined its cluster, from the part of the data that has
    /// arrived, if any. Default: false; reads wait for at most <see cref="JoinTimeout"/>, as writes do.
    /// </summary>
    public bool ReadBeforeJoined { get; set; }

    /// <summary>
    /// Gets or sets the time up to which this node accepts stamps that lead its wall clock by more than 7 days. Use it for a fresh node in
    /// a cluster whose clocks were once that far ahead. Default: null; such stamps are not accepted.
    /// </summary>
    public DateTimeOffset? AcceptStampsUpTo { get; set; }

    /// <summary>
    /// Gets or sets how often a replica tells each peer what it knows, so that the peer can fetch what it lacks and discard what all
    /// members have, from 10 ms to 1 day. A shorter interval finds differences sooner, and costs a few hundred bytes per peer each time.
    /// Default: 500 ms.
    /// </summary>
    public TimeSpan ReportInterval { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// Gets or sets how long a closing store waits until the peers in session have everything that this node has written, up to 1 day; zero
    /// for no wait. A longer timeout leaves less behind when a peer is slow, but delays the stop. Default: 5 s.
    /// </summary>
    public TimeSpan StopTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Gets or sets the maximum length of a document that a local write produces, in encoded bytes, from 1 KiB to 256 MiB. Default: 8 MiB.
    /// </summary>
    public int MaxDocumentLength { get; set; } = 8 * 1024 * 1024;

    /// <summary>
    /// Gets or sets how many documents a full reconcile may remove on the word of one member. A node that was forgotten, or that a faulty
    /// member claims was forgotten, takes over another member's data in full. If that would remove more documents, the reconcile waits
    /// until a second member says the same, or until <see cref="ReplicatedStore.AllowRemovalAsync"/> is called. Default: 100.
    /// </summary>
    public int MaxRemovedByReconcile { get; set; } = 100;

    /// <summary>
    /// Gets or sets the interval at which everything that is stored is read again; zero to turn this off. A durable store reads all its
    /// records in the background, beginning when it opens, to find what the disk has changed while other nodes still have the data. Reading
    /// takes about a twentieth of a core. Default: 7 days.
    /// </summary>
    public TimeSpan ScrubInterval { get; set; } = TimeSpan.FromDays(7);

    /// <summary>
    /// Gets the keyspaces that the application declares. The store knows them before it receives anything from other nodes. An index that
    /// is declared only after documents have changed must be built again. Default: none.
    /// </summary>
    internal IList<KeyspaceDeclaration> Declarations { get; } = [];

    /// <summary>
    /// Gets or sets the number of voters that the cluster aims at, from 1 to 255. A serial transaction needs a majority of them. More voters survive more
    /// failures, and wait for more nodes. Use the same number on all nodes. Default: 5.
    /// </summary>
    public int MaxVoters { get; set; } = 5;

    /// <summary>
    /// Gets or sets a value that keeps this node from becoming a voter, for example because its link is slow. Its serial transactions work like those of all
    /// nodes. The node that forms the cluster is a voter in any case, until another node is. Default: false.
    /// </summary>
    public bool NeverVotes { get; set; }

    /// <summary>
    /// Gets or sets how many commits may wait for the writer before further callers must wait to post theirs, from 1 to 1,000,000. Default:
    /// 8,192.
    /// </summary>
    public int MaxPendingCommits { get; set; } = 8_192;

    /// <summary>
    /// Gets or sets how many bytes of changes are buffered for one slow watcher. Beyond that, the watcher reads what it missed from the
    /// store, which has only the latest state of each document. Default: 16 MiB.
    /// </summary>
    public long MaxWatchBufferLength { get; set; } = 16 * 1024 * 1024;

    /// <summary>
    /// Gets or sets how long this node keeps the log of transactions that a durable consumer has not processed, from zero to 365 days. A consumer that is further behind
    /// reads everything again. A longer time takes more space, and deleted data is discarded later. Use the same on all nodes. Default: 1 day.
    /// </summary>
    public TimeSpan ConsumerRetention { get; set; } = TimeSpan.FromDays(1);

    /// <summary>
    /// Gets or sets how many log records this node keeps at most for durable consumers, whatever <see cref="ConsumerRetention"/> is, from 1,000 to 1,000,000,000. A record has
    /// the transactions of one node within 64 ms, up to 4 KiB. It is checked twice a minute. Default: 1,000,000.
    /// </summary>
    public int MaxConsumerRecords { get; set; } = 1_000_000;

    /// <summary>
    /// Gets or sets a value that makes the store follow members of its cluster instead of being one: it has their data, and issues no stamps, counts for no level and
    /// holds nothing back, so that there may be any number of followers. Saves go through a member. The storage must be empty at first, or be that of a follower. Default: false.
    /// </summary>
    public bool IsFollower { get; set; }

    /// <summary>
    /// Gets the addresses of the members that a follower takes its data from, such as <c>hub:7000</c>. It uses one at a time, and another one if that fails. If there are none, it follows the
    /// nodes that hold the store, which it must then know by gossip.
    /// </summary>
    public IList<string> FollowedMembers { get; } = [];

    /// <summary>
    /// Gets the names of the keyspaces that a follower takes; none for all. To a query, the other keyspaces are empty. If they change, the follower copies everything anew.
    /// </summary>
    public ISet<string> FollowedKeyspaces { get; } = new SortedSet<string>(StringComparer.Ordinal);

    /// <summary>
    /// Gets or sets how long a member keeps the log of transactions for followers that are away, from zero to 365 days, once it has had a follower. A follower that was away for longer copies
    /// everything anew. A longer time takes more space, and deleted data is discarded later. At most <see cref="MaxConsumerRecords"/> records are kept. Default: 1 hour.
    /// </summary>
    public TimeSpan FollowerRetention { get; set; } = TimeSpan.FromHours(1);

    /// <summary>
    /// Gets or sets the memory, in bytes, for documents that were read by key, by a find or through an index, so that they need not be
    /// looked up in the storage again; 0 turns the cache off. More memory helps as long as the documents that are read repeatedly do not
    /// fit. In-memory storage has no cache. Default: 16 MiB.
    /// </summary>
    public long MaxCacheLength { get; set; } = 16 * 1024 * 1024;

    /// <summary>Returns the time for a timer; infinite if it is longer than timers support.</summary>
    internal static TimeSpan ToTimer(TimeSpan time) => time < LongestTimer ? time : Timeout.InfiniteTimeSpan;

    internal void Validate()
    {
        Check(AcknowledgmentTimeout > TimeSpan.Zero, nameof(AcknowledgmentTimeout), AcknowledgmentTimeout, "positive");
        Check(JoinTimeout > TimeSpan.Zero, nameof(JoinTimeout), JoinTimeout, "positive");
        Check(ExpectedNodes is >= 1 and <= 255, nameof(ExpectedNodes), ExpectedNodes, "from 1 to 255");
        Check(ReportInterval >= TimeSpan.FromMilliseconds(10) && ReportInterval <= LongestInterval, nameof(ReportInterval), ReportInterval, "from 10 ms to 1 day");
        Check(StopTimeout >= TimeSpan.Zero && StopTimeout <= LongestInterval, nameof(StopTimeout), StopTimeout, "from zero to 1 day");
        Check(MaxDocumentLength is >= 1_024 and <= 256 * 1024 * 1024, nameof(MaxDocumentLength), MaxDocumentLength, "from 1 KiB to 256 MiB");
        Check(MaxWatchBufferLength >= 0, nameof(MaxWatchBufferLength), MaxWatchBufferLength, "zero or more");
        Check(MaxRemovedByReconcile >= 0, nameof(MaxRemovedByReconcile), MaxRemovedByReconcile, "zero or more");
        foreach (var declaration in Declarations)
            KeyspaceCatalog.CheckArgument(declaration.Name, nameof(Declarations));
        Check(MaxVoters is >= 1 and <= 255, nameof(MaxVoters), MaxVoters, "from 1 to 255");
        Check(ScrubInterval >= TimeSpan.Zero, nameof(ScrubInterval), ScrubInterval, "zero or more");
        Check(ConsumerRetention >= TimeSpan.Zero && ConsumerRetention <= LongestRetention, nameof(ConsumerRetention), ConsumerRetention, "from zero to 365 days");
        Check(MaxConsumerRecords is >= 1_000 and <= 1_000_000_000, nameof(MaxConsumerRecords), MaxConsumerRecords, "from 1,000 to 1,000,000,000");
        Check(FollowerRetention >= TimeSpan.Zero && FollowerRetention <= LongestRetention, nameof(FollowerRetention), FollowerRetention, "from zero to 365 days");
        Check(FollowedKeyspaces.Count <= MaxFollowedKeyspaces, nameof(FollowedKeyspaces), $"a set of {FollowedKeyspaces.Count}", "a set of at most 1,024");
        foreach (string member in FollowedMembers)
            DatacakeNode.CheckAddress(member);
        foreach (string keyspace in FollowedKeyspaces)
            KeyspaceCatalog.CheckArgument(keyspace, nameof(FollowedKeyspaces));
        Check(MaxCacheLength >= 0, nameof(MaxCacheLength), MaxCacheLength, "zero or more");
        Check(MaxPendingCommits is >= 1 and <= 1_000_000, nameof(MaxPendingCommits), MaxPendingCommits, "from 1 to 1,000,000");

        static void Check(bool isValid, string name, object value, string allowed)
        {
            if (!isValid)
                throw new ArgumentException($"{nameof(ReplicatedStoreOptions)}.{name} is {value}; it must be {allowed}.", name);
        }
    }
}
