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
    readonly Dictionary<string, (Task<ClusterReport> Report, long AskedAt)> _latest = new(StringComparer.Ordinal);      // by store; under the lock

    /// <summary>Returns the state of a store of the cluster, at most a second old.</summary>
    /// <param name="store">The name of the store; an empty text for the node's own store.</param>
    /// <param name="cancellationToken">A token that ends the wait.</param>
    /// <exception cref="OperationCanceledException">The token was canceled. The report is completed for others.</exception>
    public Task<ClusterReport> GetAsync(string store, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            foreach (var (old, _) in _latest.Where(static entry => IsOld(entry.Value.Report, entry.Value.AskedAt)).ToArray())
                _latest.Remove(old);
            if (!_latest.TryGetValue(store, out var latest))
                _latest.Add(store, latest = (Task.Run(() => AskAsync(store), CancellationToken.None), TimeProvider.System.GetTimestamp()));
            return latest.Report.WaitAsync(cancellationToken);
        }

        // Real time, and not that of the node, which a test can stop.
        static bool IsOld(Task<ClusterReport> report, long askedAt) => report.IsFaulted || (report.IsCompleted && TimeProvider.System.GetElapsedTime(askedAt) > MaxAge);
    }

    async Task<ClusterReport> AskAsync(string store)
    {
        var (node, administration) = source.Get();
        var own = await administration.GetStatusAsync(store, listStores: true).ConfigureAwait(false);
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
            var client = new AdministrationClient(node.ChannelTo(member.Address), client =>
            {
                client.Store = own.Store.Length > 0 ? own.Store : null;
                client.Timeout = Timeout.InfiniteTimeSpan;
            });
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
