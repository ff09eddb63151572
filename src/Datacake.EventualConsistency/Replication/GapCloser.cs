using Datacake.Crdt;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// The part of a replica that closes the gap which a restart leaves among its own stamps: a lost tail that other nodes have may hide in it
/// [R14].
/// </summary>
/// <remarks>See PROTOCOL.md: gap.</remarks>
/// <param name="node">The node that the replica belongs to.</param>
/// <param name="identity">The identity of the store, from which earlier runs are removed.</param>
sealed class GapCloser(byte node, ReplicaIdentity identity)
{
    VersionVector? _surveyed;   // everything that exists of this replica's earlier runs

    /// <summary>Returns true unless the known stamps of this node form one interval from the beginning.</summary>
    public bool HasGap(ReplicaState state)
    {
        var own = state.Known[node];
        return own.Length != 1 || !own[0].Low.IsNone;
    }

    /// <summary>
    /// Returns true if the tail of an earlier run may be missing here. Unlike <see cref="HasGap"/>, it is also true before the current run
    /// has written anything.
    /// </summary>
    public bool MayLackTail(ReplicaState state, HlcTimestamp run) => HasGap(state) || state.Known.OfNode(node).Top < run;

    /// <summary>Takes over the result of a complete roll call: everything that exists of this replica's earlier runs.</summary>
    public void Take(VersionVector surveyed) => _surveyed = surveyed;

    /// <summary>
    /// Claims everything up to the current run if the replica knows everything that exists of its earlier runs. The earlier runs are then
    /// removed from the identity.
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
