using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Datacake.Node.Gossip;
using Microsoft.Extensions.Logging;

namespace Datacake.Node;

/// <summary>
/// The members as the gossip shows them, one for each node id, and the signal for those who watch them change. Thread-safe.
/// </summary>
sealed class MembershipView(ILogger logger)
{
    readonly Lock _lock = new();

    // Read without the lock by everyone, replaced as a whole.
    volatile Snapshot _current = new([], new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
    volatile bool _isClosed;
    Dictionary<byte, Source> _sources = [];

    public ImmutableArray<ClusterMember> Members => _current.Members;

    /// <summary>Looks at the gossip again. Called by one thread at a time.</summary>
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

    /// <summary>Ends all watches: the node stops.</summary>
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

    /// <summary>The same, with what is seen at one time together.</summary>
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

    /// <summary>Waits until the members are as asked; false if the node stopped before.</summary>
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
                    NodeLog.MemberChanged(logger, change.Kind, change.Member);
        }
    }

    static MemberState StateOf(NodeState node, Gossiper gossiper)
    {
        if (node.TryGet(NodeKeys.State, out var state) && state == NodeKeys.Left)
            return MemberState.Left;
        return gossiper.IsAlive(node.Id) ? MemberState.Up : MemberState.Down;
    }

    /// <summary>
    /// The greatest of the identities that share a node id is the member: this node itself before any other that uses its id; a node of ours
    /// before one of another implementation; the present life before earlier ones; one that runs; one whose store was not retired; and then, of those that
    /// do not run, the one that was heard of last. Their generations do not decide, as a clock may have been set back between two lives.
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
            labels);
    }

    sealed record Snapshot(ImmutableArray<ClusterMember> Members, TaskCompletionSource Replaced);

    /// <summary>What a member was made of, to tell whether it has to be made anew.</summary>
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
