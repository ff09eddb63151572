using System.Diagnostics.Metrics;
using System.Globalization;
using Datacake.Crdt;
using Datacake.EventualConsistency.Integrity;
using Datacake.EventualConsistency.Joining;
using Datacake.EventualConsistency.Links;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Node;

namespace Datacake.EventualConsistency;

/// <summary>
/// What can be measured of a store, through the meter <c>Datacake.EventualConsistency</c>. Every measurement is tagged with the node that it is of.
/// </summary>
sealed class StoreMetrics : IDisposable
{
    public const string MeterName = "Datacake.EventualConsistency";

    readonly Meter _meter = new(MeterName);
    readonly KeyValuePair<string, object?> _node;
    readonly Counter<long> _commits;
    readonly Counter<long> _transactions;
    readonly Counter<long> _documents;
    readonly Counter<long> _pulls;
    readonly Counter<long> _reconciles;

    public StoreMetrics(DatacakeNode node, Replica replica, PeerLinks links, StoreJoining joining, DamageLog damages)
    {
        _node = new("node", node.Id.ToString(CultureInfo.InvariantCulture));
        _commits = _meter.CreateCounter<long>("datacake.store.commits", "{commit}", "Batches of changes, each of which is one commit of the storage.");
        _transactions = _meter.CreateCounter<long>("datacake.store.transactions", "{transaction}", "Transactions of this node that were committed.");
        _documents = _meter.CreateCounter<long>("datacake.store.documents", "{document}", "Documents that commits changed, whoever wrote them.");
        _pulls = _meter.CreateCounter<long>(
            "datacake.store.pulls", "{pull}", "Times that this store asked a peer for what it lacks, by what for: to join or to catch up.");
        _reconciles = _meter.CreateCounter<long>("datacake.store.reconciles", "{reconcile}", "Full reconciles, after a member had been forgotten.");
        _meter.CreateObservableGauge(
            "datacake.store.keyspace.documents",
            () => replica.Catalog.All.Select(keyspace => new Measurement<long>(keyspace.State.Record.Count, _node, new("keyspace", keyspace.Name))),
            "{document}",
            "Living documents of each keyspace.");
        _meter.CreateObservableGauge(
            "datacake.store.peers",
            () => new Measurement<int>(links.All.Count, _node),
            "{peer}",
            "Members with whom a session is open.");
        _meter.CreateObservableCounter(
            "datacake.store.damages",
            () => new Measurement<long>(damages.Found, _node),
            "{record}",
            "Damaged records that were found.");
        _meter.CreateObservableGauge(
            "datacake.store.damaged",
            () => new Measurement<int>(damages.Count, _node),
            "{record}",
            "Damaged records that are not mended yet.");
        _meter.CreateObservableGauge(
            "datacake.store.log.age",
            () => new Measurement<double>(AgeOfLog(replica.State, node.TimeProvider.GetUtcNow()).TotalSeconds, _node),
            "s",
            "For how long some member may have been without something: so long ago the oldest transaction was made that is not forgotten yet.");
        _meter.CreateObservableGauge(
            "datacake.store.join.documents",
            () => new Measurement<long>(joining.Status.Documents, _node),
            "{document}",
            "Documents that this store has taken to join its cluster.");
    }

    public void Committed(ReplicaBatch batch)
    {
        _commits.Add(1, _node);
        if (batch.Mutations.Count > 0)
            _transactions.Add(batch.Mutations.Count, _node);
        if (batch.IsReconciled)
            _reconciles.Add(1, _node);
        if (_documents.Enabled)
            _documents.Add(batch.Documents.Count(static document => !ReferenceEquals(document.Before, document.After)), _node);
        foreach (var sent in batch.Outbox)
        {
            if (sent.Message is PullRequest request)
                _pulls.Add(1, _node, new("purpose", request.IsJoining ? "join" : "catch up"));
        }
    }

    public void Dispose() => _meter.Dispose();

    static TimeSpan AgeOfLog(ReplicaState state, DateTimeOffset now)
    {
        var oldest = now;
        var kept = state.Known.Except(state.Truncated);
        foreach (byte node in kept.Nodes)
        {
            var (low, high) = kept[node][0];
            var since = (low.IsNone ? high : low).Time;
            oldest = since < oldest ? since : oldest;
        }
        return now - oldest;
    }
}
