using System.Collections.Concurrent;
using Datacake.EventualConsistency.Hosts;
using Datacake.Node;
using Datacake.Rpc;

namespace Datacake.EventualConsistency.Joining;

/// <summary>
/// Asks the other nodes whether they hold a named store, as long as the store of this node is fresh. Only a node that has said that it does not
/// hold the store is left out when the store is formed [R12].
/// </summary>
/// <remarks>
/// A node counts as a holder to others before it asks them. Of two nodes that open the same store, at least one is therefore told of the
/// other: both can only be told that nobody has the store if each was asked before it held the store, and so before it asked. Gossip alone
/// does not suffice, because what it has not told yet looks like what is not.
/// </remarks>
sealed class HolderInquiry
{
    static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);
    static readonly TimeSpan Retry = TimeSpan.FromMilliseconds(200);

    readonly StoreHost _host;
    readonly byte[] _request;
    readonly Func<bool> _isOver;
    readonly ConcurrentDictionary<byte, (ulong Generation, bool Holds)> _answers = [];

    /// <summary>Starts to ask.</summary>
    /// <param name="host">The node, as the store sees it.</param>
    /// <param name="isOver">Returns true if the answers no longer matter, because the store has joined.</param>
    /// <param name="stopping">Canceled when the store closes.</param>
    public HolderInquiry(StoreHost host, Func<bool> isOver, CancellationToken stopping)
    {
        _host = host;
        _request = HolderService.RequestFor(host.Name);
        _isOver = isOver;
        Running = Task.Run(() => RunAsync(stopping), CancellationToken.None);
    }

    /// <summary>Gets a task that completes when nothing is asked any more.</summary>
    public Task Running { get; }

    /// <summary>Returns whether a member holds the store, or null if it has not said so since it started.</summary>
    public bool? Holds(ClusterMember member) => _answers.TryGetValue(member.NodeId, out var answer) && answer.Generation == member.Generation ? answer.Holds : null;

    async Task RunAsync(CancellationToken stopping)
    {
        try
        {
            while (!_isOver())
            {
                // Whoever holds the store and has not opened it may give it up, so it is asked again.
                var unasked = _host.Node.Members.Where(member => member.IsUp && member.NodeId != _host.Node.Id && !member.Stores.Contains(_host.Name) && Holds(member) != false);
                await Task.WhenAll(unasked.Select(member => AskAsync(member, stopping))).ConfigureAwait(false);
                await Task.Delay(Retry, _host.Node.TimeProvider, stopping).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The store is closing.
        }
    }

    async Task AskAsync(ClusterMember member, CancellationToken stopping)
    {
        try
        {
            using var reply = await _host.Node.ChannelTo(member.Address)
                .CallAsync(HolderService.ServiceName, HolderService.HoldsMessage, _request, new RpcCallOptions { Timeout = Timeout }, stopping).ConfigureAwait(false);
            if (HolderService.Read(reply.Span, member.NodeId) is { } holds)
                _answers[member.NodeId] = (member.Generation, holds);
        }
        catch (Exception e) when (e is RpcException or ObjectDisposedException)
        {
            // The node is asked again. Until it answers, the store does not form, and the obstacle names the node.
        }
    }
}
