using Datacake.Administration;
using Datacake.Node;
using Datacake.Rpc;

namespace Datacake.Dashboard.Cluster;

/// <summary>
/// Asks all members for their state, over the channels of the node. A report is shared by all pages that ask within a second, so that many open
/// pages cost the members no more than one. Thread-safe.
/// </summary>
sealed class ClusterReports(DashboardNode source, DashboardOptions options)
{
    /// <summary>The limit of the members that are asked for one report.</summary>
    public const int MaxAsked = 64;

    static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(1);

    readonly Lock _lock = new();
    Task<ClusterReport>? _latest;       // under the lock
    long _askedAt;                      // under the lock

    /// <summary>Returns the state of the cluster, at most a second old.</summary>
    /// <exception cref="OperationCanceledException">The token was canceled. The report is completed for others.</exception>
    public Task<ClusterReport> GetAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            // Real time, and not that of the node, which a test can stop.
            if (_latest is null or { IsFaulted: true } || (_latest.IsCompleted && TimeProvider.System.GetElapsedTime(_askedAt) > MaxAge))
            {
                _askedAt = TimeProvider.System.GetTimestamp();
                _latest = Task.Run(AskAsync, CancellationToken.None);
            }
            return _latest.WaitAsync(cancellationToken);
        }
    }

    async Task<ClusterReport> AskAsync()
    {
        var (node, administration) = source.Get();
        var own = await administration.GetStatusAsync().ConfigureAwait(false);
        var reports = await Task.WhenAll(own.Members.Where(static member => member.Connection != "Retired").Select((member, index) => AskAsync(node, own, member, index))).ConfigureAwait(false);
        return new ClusterReport(own, [.. reports.OrderBy(static report => report.NodeId)]);
    }

    async Task<MemberReport> AskAsync(DatacakeNode node, NodeStatus own, MemberStatus member, int index)
    {
        if (member.NodeId == own.NodeId)
            return new MemberReport(member.NodeId, own, null);
        if (member.Connection is "Down" or "Left" or "Unseen" || member.Address.Length == 0)
            return new MemberReport(member.NodeId, null, member.Connection == "Left" ? "has left" : "is down");
        if (index >= MaxAsked)
            return new MemberReport(member.NodeId, null, $"was not asked, because the cluster has more than {MaxAsked} members");
        using var deadline = new CancellationTokenSource(options.PeerTimeout);
        try
        {
            // The deadline is the only limit: beside a second one of the same length, chance would choose the message.
            var client = new AdministrationClient(node.ChannelTo(member.Address), static client => client.Timeout = Timeout.InfiniteTimeSpan);
            return new MemberReport(member.NodeId, await client.GetStatusAsync(deadline.Token).WaitAsync(deadline.Token).ConfigureAwait(false), null);
        }
        catch (Exception e) when (e is AdministrationException or RpcException or OperationCanceledException or ObjectDisposedException)
        {
            return new MemberReport(member.NodeId, null, e is AdministrationException
                ? $"did not answer: {e.Message}"
                : FormattableString.Invariant($"did not answer within {options.PeerTimeout.TotalSeconds:0.#} s"));
        }
    }
}
