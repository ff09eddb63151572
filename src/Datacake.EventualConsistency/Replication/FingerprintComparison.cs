using Datacake.Crdt;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// The comparison of a replica's fingerprint with those of its peers [R15]. Two replicas that know the same transactions must show the
/// same. If they do not, each merges a full snapshot of the other.
/// </summary>
sealed class FingerprintComparison
{
    /// <summary>The number of ticks between two full merges with the same peer.</summary>
    const int TicksBetweenMerges = 60;

    readonly Dictionary<byte, int> _differing = [];     // the ticks until the next full merge

    /// <summary>Gets the peers that know the same transactions as this replica but show something else. Any thread may read this.</summary>
    public IReadOnlyCollection<byte> Differing { get; private set; } = [];

    /// <summary>Compares this replica's fingerprint with that of a peer that knows the same transactions.</summary>
    public void Compare(byte peer, UInt128 theirs, UInt128 mine)
    {
        bool hasChanged = theirs == mine ? _differing.Remove(peer) : _differing.TryAdd(peer, 0);
        if (hasChanged)
            Differing = [.. _differing.Keys];
    }

    /// <summary>Counts a tick. Returns the differing peers with which a full merge is due.</summary>
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

    /// <summary>Records that a full snapshot of a peer was requested.</summary>
    public void OnMerging(byte peer) => _differing[peer] = TicksBetweenMerges;

    /// <summary>
    /// Merges those documents of a page that show only transactions known to this replica. An ordinary pull brings the others.
    /// </summary>
    /// <returns>True if all documents of the page were merged.</returns>
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
