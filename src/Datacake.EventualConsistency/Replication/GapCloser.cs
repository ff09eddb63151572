using Datacake.Crdt;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// The part of a replica that closes the gap that a restart leaves among its own stamps, in which a lost tail may hide that other nodes have [R14].
/// </summary>
/// <param name="node">The node whose replica it is.</param>
/// <param name="identity">The identity of the store, whose earlier runs are removed.</param>
sealed class GapCloser(byte node, ReplicaIdentity identity)
{
    VersionVector? _surveyed;   // all that exists of earlier runs of this replica

    /// <summary>Returns true if the known stamps of the own node are not one interval from the beginning.</summary>
    public bool HasGap(ReplicaState state)
    {
        var own = state.Known[node];
        return own.Length != 1 || !own[0].Low.IsNone;
    }

    /// <summary>
    /// Returns true if a tail of an earlier run may be missing here: other than <see cref="HasGap"/>, also before the present run has written anything.
    /// </summary>
    public bool MayLackTail(ReplicaState state, HlcTimestamp run) => HasGap(state) || state.Known.OfNode(node).Top < run;

    /// <summary>Takes all that exists of earlier runs of this replica, as a complete roll call has found it.</summary>
    public void Take(VersionVector surveyed) => _surveyed = surveyed;

    /// <summary>
    /// Claims everything up to the present run, if nothing exists of earlier runs but what the replica knows. Then the earlier runs need not be kept.
    /// </summary>
    public void TryClose(ReplicaBatch batch, HlcTimestamp run)
    {
        if (_surveyed is { } surveyed && batch.State.Known.Covers(surveyed))
        {
            batch.Claim(VersionVector.Of(node, HlcTimestamp.None, run));
            batch.Note(node, run);
            identity.IsDirty |= identity.Runs.RemoveAll(earlier => earlier != run) > 0;
        }
    }
}
