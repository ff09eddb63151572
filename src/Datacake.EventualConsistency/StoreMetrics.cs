using System.Diagnostics.Metrics;
using System.Globalization;
using Datacake.Crdt;
using Datacake.EventualConsistency.Hosts;
using Datacake.EventualConsistency.Integrity;
using Datacake.EventualConsistency.Joining;
using Datacake.EventualConsistency.Links;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.EventualConsistency.Sequencing;
using Datacake.Node;

namespace Datacake.EventualConsistency;

/// <summary>
/// The metrics of a store, on the meter <c>Datacake.EventualConsistency</c>. Every measurement is tagged with the id of the node, and
/// those of a named store with its name.
/// </summary>
sealed class StoreMetrics : IDisposable
{
    public const string MeterName = "Datacake.EventualConsistency";

    readonly Meter _meter = new(MeterName);
    readonly KeyValuePair<string, object?>[] _tags;
    readonly Counter<long> _commits;
    readonly Counter<long> _transactions;
    readonly Counter<long> _documents;
    readonly Counter<long> _pulls;
    readonly Counter<long> _reconciles;
    readonly Counter<long> _serialTransactions;
    readonly Counter<long> _serialConflicts;

    /// <param name="host">The node, as the store sees it.</param>
    /// <param name="replica">The replica.</param>
    /// <param name="sequencer">The sequencer of the replica.</param>
    /// <param name="links">The connections to the peers.</param>
    /// <param name="joining">The progress of the store in joining its cluster.</param>
    /// <param name="damages">The damaged records of the storage.</param>
    /// <param name="followers">Returns the number of followers that are connected.</param>
    /// <param name="source">Returns the state of the connection to the member that the store follows, or null before it is opened; null for a member.</param>
    public StoreMetrics(
        StoreHost host, Replica replica, Sequencer sequencer, PeerLinks links, StoreJoining joining, DamageLog damages, Func<int> followers, Func<FollowStatus?>? source)
    {
        _tags = [new("node", host.Node.Id.ToString(CultureInfo.InvariantCulture))];
        if (host.IsNamed)
            _tags = [.. _tags, new("store", host.Name)];
        _commits = _meter.CreateCounter<long>("datacake.store.commits", "{commit}", "Batches of changes, each committed to the storage as one.");
        _transactions = _meter.CreateCounter<long>("datacake.store.transactions", "{transaction}", "Committed transactions of this node.");
        _documents = _meter.CreateCounter<long>("datacake.store.documents", "{document}", "Documents changed by commits, whichever node wrote them.");
        _pulls = _meter.CreateCounter<long>(
            "datacake.store.pulls", "{pull}", "Requests of this store to a peer for what it lacks, by purpose: to join or to catch up.");
        _reconciles = _meter.CreateCounter<long>("datacake.store.reconciles", "{reconcile}", "Full reconciles after a member had been forgotten.");
        _serialTransactions = _meter.CreateCounter<long>("datacake.serial.transactions", "{transaction}", "Serial transactions of this node that took effect.");
        _serialConflicts = _meter.CreateCounter<long>("datacake.serial.conflicts", "{transaction}", "Serial transactions of this node that were refused, by the keyspace of the conflict.");
        _meter.CreateObservableGauge(
            "datacake.serial.voters",
            () => new Measurement<int>(sequencer.Voters.Count, _tags),
            "{voter}",
            "Voters of the serial transactions.");
        _meter.CreateObservableGauge(
            "datacake.serial.sequencer",
            () => new Measurement<int>(sequencer.Current ?? -1, _tags),
            "{node}",
            "Id of the node that is the sequencer of the serial transactions; -1 if this node knows none.");
        _meter.CreateObservableGauge(
            "datacake.serial.waiting",
            () => new Measurement<int>(sequencer.Waiting, _tags),
            "{entry}",
            "Entries of the sequence of serial transactions that this node still keeps.");
        _meter.CreateObservableGauge(
            "datacake.store.keyspace.documents",
            () => replica.Catalog.All.Select(keyspace => new Measurement<long>(keyspace.State.Record.Count, [.. _tags, new("keyspace", keyspace.Name)])),
            "{document}",
            "Live documents in each keyspace.");
        _meter.CreateObservableGauge(
            "datacake.store.peers",
            () => new Measurement<int>(links.All.Count, _tags),
            "{peer}",
            "Members with an open session.");
        _meter.CreateObservableCounter(
            "datacake.store.damages",
            () => new Measurement<long>(damages.Found, _tags),
            "{record}",
            "Damaged records found.");
        _meter.CreateObservableGauge(
            "datacake.store.damaged",
            () => new Measurement<int>(damages.Count, _tags),
            "{record}",
            "Damaged records that are not repaired yet.");
        _meter.CreateObservableGauge(
            "datacake.store.log.age",
            () => new Measurement<double>(AgeOfLog(replica.State, host.Node.TimeProvider.GetUtcNow()).TotalSeconds, _tags),
            "s",
            "Age of the oldest transaction that is still in the log, because some member may lack it.");
        if (source is null)
        {
            _meter.CreateObservableGauge("datacake.store.followers", () => new Measurement<int>(followers(), _tags), "{follower}", "Followers that are connected to this member.");
        }
        else
        {
            _meter.CreateObservableGauge("datacake.store.follows", () => new Measurement<int>(source() is { IsConnected: true } ? 1 : 0, _tags), "1", "1 while this follower is connected to a member, otherwise 0.");
            _meter.CreateObservableGauge(
                "datacake.store.follower.behind",
                () => source()?.Behind is { } behind ? [new Measurement<double>(behind.TotalSeconds, _tags)] : (IEnumerable<Measurement<double>>)[],
                "s",
                "Time since this follower last had everything that its member had.");
        }
        _meter.CreateObservableGauge(
            "datacake.store.join.documents",
            () => new Measurement<long>(joining.Status.Documents, _tags),
            "{document}",
            "Documents that this store has received to join its cluster.");
    }

    /// <summary>Counts a serial transaction of this node that took effect.</summary>
    public void Decided() => _serialTransactions.Add(1, _tags);

    /// <summary>Counts a serial transaction of this node that was refused.</summary>
    public void Conflicted(string keyspace) => _serialConflicts.Add(1, [.. _tags, new("keyspace", keyspace)]);

    public void Committed(ReplicaBatch batch)
    {
        _commits.Add(1, _tags);
        if (batch.Mutations.Count > 0)
            _transactions.Add(batch.Mutations.Count, _tags);
        if (batch.IsReconciled)
            _reconciles.Add(1, _tags);
        if (_documents.Enabled)
            _documents.Add(batch.Documents.Count(static document => !ReferenceEquals(document.Before, document.After)), _tags);
        foreach (var sent in batch.Outbox)
        {
            if (sent.Message is PullRequest request)
                _pulls.Add(1, [.. _tags, new("purpose", request.IsJoining ? "join" : "catch up")]);
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
