using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Replication;

// Comparing fingerprints: two replicas that know the same show the same [R15].
sealed partial class Replica
{
    /// <summary>After a full merge with a peer, so many ticks pass before the next one with it.</summary>
    const int TicksBetweenMerges = 60;

    readonly Dictionary<byte, int> _differing = [];     // the ticks until the next full merge

    /// <summary>The peers that know the same as this replica, and show something else. Any thread may read it.</summary>
    public IReadOnlyCollection<byte> Differing { get; private set; } = [];

    /// <summary>The fingerprint of what is known, or null while the batch changes that.</summary>
    UInt128? FingerprintIn(ReplicaBatch batch) => IsJoined && !HasArrived && batch.State.Known.Equals(_state.Known) ? Catalog.Fingerprint : null;

    /// <summary>Compares a peer's fingerprint with this replica's, if both know the same.</summary>
    void CompareFingerprint(ReplicaBatch batch, byte peer, Report report)
    {
        if (report.Fingerprint is not { } theirs || FingerprintIn(batch) is not { } mine
            || !report.Peers.TryGetValue(peer, out var heard) || !heard.Known.Equals(_state.Known))
            return;
        if (theirs == mine)
            SetDiffering(_differing.Remove(peer));
        else
            SetDiffering(_differing.TryAdd(peer, 0));
    }

    void SetDiffering(bool hasChanged)
    {
        if (hasChanged)
            Differing = [.. _differing.Keys];
    }

    /// <summary>Takes a full snapshot of each peer that shows something else, and merges it.</summary>
    void TickDiffering(ReplicaBatch batch)
    {
        foreach (var (peer, ticks) in _differing.ToArray())
        {
            if (ticks > 0)
                _differing[peer] = ticks - 1;
            else if (CanPull && Sessions.ContainsKey(peer))
            {
                _differing[peer] = TicksBetweenMerges;
                StartPull(batch, peer, isFull: true);
            }
        }
    }

    /// <summary>
    /// Merges a part of a full snapshot of a peer that knows the same. What it shows beyond what is known here comes with an ordinary pull.
    /// </summary>
    async ValueTask MergeAsync(ReplicaBatch batch, SnapshotPage page)
    {
        var state = batch.State;
        foreach (var (name, document) in page.Documents)
        {
            if (!document.IsWithin(state.Known))
                continue;
            var key = KeyOf(batch, name);
            await batch.MergeAsync(key, document).ConfigureAwait(false);
            batch.Write(key, Purge(await batch.ReadAsync(key).ConfigureAwait(false), state.Truncated, Catalog[StoreLayout.KeyspaceOf(key.Span)].Policy));
        }
    }
}
