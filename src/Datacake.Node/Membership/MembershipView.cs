using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Datacake.Node.Gossip;
using Microsoft.Extensions.Logging;

namespace Datacake.Node.Membership;

/// <summary>
/// The members according to the gossip, one for each node id, with notifications of changes. Thread-safe.
/// </summary>
sealed class MembershipView(ILogger logger)
{
    readonly Lock _lock = new();

    // Replaced as a whole; read by any thread without the lock.
    volatile Snapshot _current = new([], new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
    volatile bool _isClosed;
    Dictionary<byte, Source> _sources = [];

    public ImmutableArray<ClusterMember> Members => _current.Members;

    /// <summary>Updates the members from the state of the gossip. Called by one thread at a time.</summary>
    public void Update(Gossiper gossiper)
    {
        var sources = new Dictionary<byte, Source>();
        var hasChanged = false;
        foreach (var node in gossiper.Nodes)
        {
            if (node.Id.NodeId is not { } nodeId || gossiper.IsForgotten(node.Id)
                || !node.TryGet(NodeKeys.Address, out var address) || !NodeAddress.IsValid(address))
                continue;
            var state = StateOf(node, gossiper);
            var source = new Source(node.Id, node.Revision, state, RankOf(node, state == MemberState.Up, gossiper), null!);
            if (!sources.TryGetValue(nodeId, out var other) || source.Rank.CompareTo(other.Rank) > 0)
                sources[nodeId] = source;
        }
        foreach (var (nodeId, source) in sources)
        {
            var isKnown = _sources.TryGetValue(nodeId, out var before) && before with { Rank = source.Rank, Member = null! } == source;
            sources[nodeId] = isKnown ? before! : source with { Member = Describe(nodeId, source, gossiper) };
            hasChanged |= !isKnown;
        }
        hasChanged |= sources.Count != _sources.Count;
        _sources = sources;
        if (hasChanged)
            Publish([.. sources.OrderBy(source => source.Key).Select(source => source.Value.Member)]);
    }

    /// <summary>Ends all watches and waits, because the node stops.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _isClosed = true;
            _current.Replaced.TrySetResult();
        }
    }

    public async IAsyncEnumerable<MembershipChange> WatchAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var changes in WatchTogetherAsync(cancellationToken).ConfigureAwait(false))
            foreach (var change in changes)
                yield return change;
    }

    /// <summary>
    /// Returns the changes of the members that hold a named store. A member that no longer holds it counts as forgotten.
    /// </summary>
    public async IAsyncEnumerable<MembershipChange> WatchAsync(string store, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var seen = ImmutableArray<ClusterMember>.Empty;
        while (!_isClosed)
        {
            var current = _current;
            var holders = HoldersOf(store, current.Members);
            foreach (var change in MembershipDifference.Between(seen, holders))
                yield return change;
            seen = holders;
            await current.Replaced.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Returns the members that hold a named store.</summary>
    public static ImmutableArray<ClusterMember> HoldersOf(string store, ImmutableArray<ClusterMember> members) => members.RemoveAll(member => !member.Stores.Contains(store));

    /// <summary>Returns the same changes as <see cref="WatchAsync(CancellationToken)"/>, but in one list for each new snapshot.</summary>
    public async IAsyncEnumerable<IReadOnlyList<MembershipChange>> WatchTogetherAsync(
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var seen = ImmutableArray<ClusterMember>.Empty;
        while (!_isClosed)
        {
            var current = _current;
            yield return [.. MembershipDifference.Between(seen, current.Members)];
            seen = current.Members;
            await current.Replaced.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Waits until the members satisfy a condition. Returns false if the node stops first.</summary>
    public async Task<bool> WaitUntilAsync(Func<ImmutableArray<ClusterMember>, bool> condition, CancellationToken cancellationToken)
    {
        while (!_isClosed)
        {
            var current = _current;
            if (condition(current.Members))
                return true;
            await current.Replaced.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        return false;
    }

    void Publish(ImmutableArray<ClusterMember> members)
    {
        lock (_lock)
        {
            if (_isClosed)
                return;
            var before = _current;
            _current = new Snapshot(members, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
            before.Replaced.TrySetResult();
            foreach (var change in MembershipDifference.Between(before.Members, members))
                if (change.Kind != MembershipChangeKind.Updated)
                    MembershipLog.MemberChanged(logger, change.Kind, change.Member);
        }
    }

    static MemberState StateOf(NodeState node, Gossiper gossiper)
    {
        if (node.TryGet(NodeKeys.State, out var state) && state == NodeKeys.Left)
            return MemberState.Left;
        return gossiper.IsAlive(node.Id) ? MemberState.Up : MemberState.Down;
    }

    /// <summary>
    /// Returns the rank of an identity among those with the same node id, of which the greatest becomes the member. In this order, the rank
    /// prefers this node itself, a Datacake node to a node of another implementation, the current life to earlier ones, a node that is up,
    /// a node whose store was not retired, and among nodes that are down the one last heard of. Generations do not decide, because the
    /// clock may have been set back between two lives.
    /// </summary>
    static Rank RankOf(NodeState node, bool isUp, Gossiper gossiper) => new(
        (node.Id.Equals(gossiper.Self.Id),
            node.TryGet(NodeKeys.Protocol, out _),
            !gossiper.IsEarlierLife(node.Id),
            isUp,
            !gossiper.IsRetired(node),
            isUp ? long.MaxValue : gossiper.LastHeard(node.Id)),
        node.Id);

    static ClusterMember Describe(byte nodeId, Source source, Gossiper gossiper)
    {
        var node = gossiper.Nodes.First(node => node.Id.Equals(source.Id));
        var visible = node.Visible.ToDictionary();
        var labels = visible.Where(entry => NodeKeys.IsLabel(entry.Key)).ToImmutableDictionary();
        return new ClusterMember(
            nodeId,
            visible[NodeKeys.Address],
            visible.GetValueOrDefault(NodeKeys.DataCenter, ""),
            source.Id.Generation,
            source.State,
            labels)
        {
            Stores = visible.Keys.Select(NodeKeys.NamedStoreOf).OfType<string>().ToImmutableHashSet(StringComparer.Ordinal),
        };
    }

    sealed record Snapshot(ImmutableArray<ClusterMember> Members, TaskCompletionSource Replaced);

    /// <summary>The data from which a member was created. If the data changes, the member is created again.</summary>
    sealed record Source(GossipId Id, int Revision, MemberState State, Rank Rank, ClusterMember Member);

    readonly record struct Rank((bool, bool, bool, bool, bool, long) Key, GossipId Id)
    {
        public int CompareTo(Rank other)
        {
            var order = Key.CompareTo(other.Key);
            return order == 0 ? Id.CompareTo(other.Id) : order;
        }
    }
}
