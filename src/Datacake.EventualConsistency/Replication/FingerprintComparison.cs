using Datacake.Crdt;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// The comparison of a replica's fingerprint with those of its peers: two replicas that know the same show the same [R15]. Where they do not, each
/// merges a full snapshot of the other.
/// </summary>
sealed class FingerprintComparison
{
    /// <summary>After a full merge with a peer, so many ticks pass before the next one with it.</summary>
    const int TicksBetweenMerges = 60;

    readonly Dictionary<byte, int> _differing = [];     // the ticks until the next full merge

    /// <summary>The peers that know the same as this replica, and show something else. Any thread may read it.</summary>
    public IReadOnlyCollection<byte> Differing { get; private set; } = [];

    /// <summary>Compares the fingerprint of a peer that knows the same with this replica's.</summary>
    public void Compare(byte peer, UInt128 theirs, UInt128 mine)
    {
        bool hasChanged = theirs == mine ? _differing.Remove(peer) : _differing.TryAdd(peer, 0);
        if (hasChanged)
            Differing = [.. _differing.Keys];
    }

    /// <summary>Counts a tick; returns the differing peers with whom a full merge is due.</summary>
    public IReadOnlyList<byte> Tick()
    {
        if (_differing.Count == 0)
            return [];
        var due = new List<byte>();
        foreach (var (peer, ticks) in _differing.ToArray())
        {
            if (ticks > 0)
                _differing[peer] = ticks - 1;
            else
                due.Add(peer);
        }
        return due;
    }

    /// <summary>Takes note that a full snapshot of a peer was asked for.</summary>
    public void OnMerging(byte peer) => _differing[peer] = TicksBetweenMerges;

    /// <summary>
    /// Merges a part of a full snapshot of a peer that knows the same. What it shows beyond what is known here comes with an ordinary pull.
    /// </summary>
    /// <returns>False if there was such.</returns>
    public static async ValueTask<bool> MergeAsync(ReplicaBatch batch, SnapshotPage page)
    {
        var state = batch.State;
        bool isAll = true;
        foreach (var (name, document) in page.Documents)
        {
            if (document.IsWithin(state.Known))
                await batch.MergeAsync(batch.KeyOf(name), document, state.Truncated).ConfigureAwait(false);
            else
                isAll = false;
        }
        return isAll;
    }
}
