using System.Collections.Immutable;
using System.Diagnostics.Metrics;
using System.Globalization;
using Datacake.Node.Membership;

namespace Datacake.Node.Network;

/// <summary>
/// The metrics of a node, in the meter <c>Datacake.Node</c>. Every measurement has the tag <c>node</c> with the node id.
/// </summary>
sealed class NodeMetrics : IDisposable
{
    public const string MeterName = "Datacake.Node";

    readonly Meter _meter = new(MeterName);
    readonly KeyValuePair<string, object?> _node;
    readonly Counter<long> _rounds;
    readonly Counter<long> _bytes;
    readonly Counter<long> _exchanges;
    readonly Histogram<double> _drift;

    public NodeMetrics(byte nodeId, MembershipView view)
    {
        _node = new("node", nodeId.ToString(CultureInfo.InvariantCulture));
        _rounds = _meter.CreateCounter<long>("datacake.gossip.rounds", "{round}", "Rounds of gossip started.");
        _bytes = _meter.CreateCounter<long>("datacake.gossip.bytes", "By", "Bytes of gossip messages, by direction.");
        _exchanges = _meter.CreateCounter<long>("datacake.gossip.exchanges", "{exchange}", "Exchanges that this node opened, by outcome.");
        _drift = _meter.CreateHistogram<double>(
            "datacake.clock.drift",
            "s",
            "Lead of other nodes' cluster clocks over this node's wall clock when their messages arrive; negative if they are behind.");
        _meter.CreateObservableGauge("datacake.members", () => Members(view.Members), "{member}", "Members by state, this node included.");
        _meter.CreateObservableGauge(
            "datacake.data_centers",
            () => new Measurement<int>(
                view.Members.Where(member => member.IsUp).Select(member => member.DataCenter).Distinct().Count(), _node),
            "{data center}",
            "Data centers with a member that is up.");
    }

    /// <summary>Adds a gauge of the suspicion of each peer.</summary>
    public void ObservePhi(Func<IEnumerable<(string Peer, double Phi)>> phi) => _meter.CreateObservableGauge(
        "datacake.gossip.phi",
        () => phi().Select(peer => new Measurement<double>(peer.Phi, _node, new("peer", peer.Peer))),
        description: "Suspicion that a peer is down: its silence as a multiple of the mean time between its heartbeats.");

    public void RoundBegun() => _rounds.Add(1, _node);

    public void BytesSent(int count) => _bytes.Add(count, _node, new("direction", "sent"));

    public void BytesReceived(int count) => _bytes.Add(count, _node, new("direction", "received"));

    public void ExchangeEnded(ExchangeOutcome outcome) => _exchanges.Add(
        1,
        _node,
        new("outcome", outcome switch { ExchangeOutcome.Answered => "answered", ExchangeOutcome.Refused => "refused", ExchangeOutcome.Itself => "itself", _ => "silent" }));

    public void DriftSeen(TimeSpan drift) => _drift.Record(drift.TotalSeconds, _node);

    public void Dispose() => _meter.Dispose();

    IEnumerable<Measurement<int>> Members(ImmutableArray<ClusterMember> members) =>
    [
        new(members.Count(member => member.State == MemberState.Up), _node, new("state", "up")),
        new(members.Count(member => member.State == MemberState.Down), _node, new("state", "down")),
        new(members.Count(member => member.State == MemberState.Left), _node, new("state", "left")),
    ];
}
