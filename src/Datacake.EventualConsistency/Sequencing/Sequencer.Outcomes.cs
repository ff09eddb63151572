using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication;

namespace Datacake.EventualConsistency.Sequencing;

// The removal of outcomes that nobody can ask for any more [S8].
partial class Sequencer
{
    /// <summary>The time between two looks at the records, in milliseconds.</summary>
    const long OutcomesInterval = 1_000;

    const int MaxOutcomesRead = 100;

    long _outcomesAt;
    DocumentKey? _outcomesAfter;        // the last record that was looked at

    /// <summary>
    /// Returns the next lanes whose records may go. They are looked at in turn, some with each transaction that the sequencer applies, so that a cluster without
    /// serial transactions does nothing for it.
    /// </summary>
    async ValueTask<IReadOnlyList<CallerLane>> FindOutdatedAsync(ReplicaBatch batch)
    {
        if (Now < _outcomesAt || _replica.Catalog.Find(CallerLane.Keyspace) is not { } keyspace)
            return [];
        _outcomesAt = Now + OutcomesInterval;
        var all = StoreLayout.Documents(keyspace.Number);
        var range = _outcomesAfter is { } after ? all.After(StoreLayout.DocumentKey(keyspace.Number, after.Encoded.Span)) : all;
        var keys = await SnapshotReading.ScanKeysAsync(batch.Snapshot, range, MaxOutcomesRead, CancellationToken.None).ConfigureAwait(false);
        var knownToAll = _replica.KnownToAll(_replica.State);
        var outdated = new List<CallerLane>();
        DocumentKey? last = null;
        foreach (var key in keys)
        {
            last = new DocumentKey(key[StoreLayout.DocumentPrefixLength..].ToArray());
            if (CallerLane.TryRead(last.Value) is { } lane && MayForget(lane, batch.State.Runs[lane.Run.Node], knownToAll)
                && (await batch.ReadAsync(batch.KeyOf(keyspace, last.Value)).ConfigureAwait(false)).IsAlive(MergePolicy.Serial))
                outdated.Add(lane);
        }
        _outcomesAfter = last;
        return outdated;
    }

    /// <summary>True if all members are in session and know all retired stores.</summary>
    bool AllKnowRetired => _replica.Identity.Members.Keys.All(node => node == _replica.Node
        || (_replica.Sessions.TryGetValue(node, out var session) && session.RetiredDigest == _replica.Identity.Retired.Digest));
}
