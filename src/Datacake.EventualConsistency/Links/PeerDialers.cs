using Datacake.Node;

namespace Datacake.EventualConsistency.Links;

/// <summary>
/// Dials each member with a higher id than this node's, and again whenever a session with it has ended, until it leaves or is forgotten. Used by one task.
/// </summary>
/// <param name="node">Whose members they are.</param>
/// <param name="converse">Opens a session with the node at an address, and returns when it has ended, for whatever reason.</param>
sealed class PeerDialers(DatacakeNode node, Func<string, CancellationToken, Task> converse)
{
    public static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(50);
    static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(1);

    readonly Dictionary<byte, Dialer> _dialers = [];

    sealed record Dialer(string Address, CancellationTokenSource Stop, Task Running);

    /// <summary>Dials until the token fires, and has then ended all sessions.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var change in node.WatchMembersAsync(cancellationToken).ConfigureAwait(false))
            {
                var member = change.Member;
                bool isWanted = member.NodeId > node.Id && member.State != MemberState.Left && change.Kind != MembershipChangeKind.Forgotten;
                if (_dialers.TryGetValue(member.NodeId, out var dialer) && (!isWanted || dialer.Address != member.Address))
                    await StopAsync(member.NodeId, dialer).ConfigureAwait(false);
                if (isWanted && !_dialers.ContainsKey(member.NodeId))
                    Start(member, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The store is closing.
        }
        foreach (var (peer, dialer) in _dialers.ToArray())
            await StopAsync(peer, dialer).ConfigureAwait(false);
    }

    void Start(ClusterMember member, CancellationToken cancellationToken)
    {
        var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _dialers.Add(member.NodeId, new Dialer(member.Address, stop, DialAsync(member.Address, stop.Token)));
    }

    async Task StopAsync(byte peer, Dialer dialer)
    {
        await dialer.Stop.CancelAsync().ConfigureAwait(false);
        await dialer.Running.ConfigureAwait(false);
        dialer.Stop.Dispose();
        _dialers.Remove(peer);
    }

    async Task DialAsync(string address, CancellationToken cancellationToken)
    {
        await Task.Yield();
        var delay = FirstRetry;
        while (!cancellationToken.IsCancellationRequested)
        {
            long started = node.TimeProvider.GetTimestamp();
            await converse(address, cancellationToken).ConfigureAwait(false);
            bool lasted = node.TimeProvider.GetElapsedTime(started) > LastRetry;
            delay = lasted ? FirstRetry : TimeSpan.FromTicks(Math.Min(delay.Ticks * 2, LastRetry.Ticks));
            try
            {
                await Task.Delay(delay, node.TimeProvider, cancellationToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }
}
