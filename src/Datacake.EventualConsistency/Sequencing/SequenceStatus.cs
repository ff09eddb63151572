using Datacake.EventualConsistency.Replication;
using Datacake.Node;

namespace Datacake.EventualConsistency.Sequencing;

/// <summary>The state of the sequence of serial transactions, as one node sees it.</summary>
/// <param name="VoterNodes">The nodes of the voters that are members.</param>
/// <param name="Voters">The number of voters.</param>
/// <param name="Sequencer">The node that is the sequencer; null if this node knows none.</param>
/// <param name="Epoch">The number of the election that this node has last heard of.</param>
/// <param name="Waiting">The number of entries whose effects this node does not have yet, or that it still keeps for others.</param>
sealed record SequenceStatus(NodeSet VoterNodes, int Voters, byte? Sequencer, ulong Epoch, int Waiting)
{
    /// <summary>Gets the store ids of the voters.</summary>
    public required IReadOnlyList<ulong> VoterList { get; init; }

    /// <summary>Gets the number of members from which the nodes of the voters follow.</summary>
    public required int Members { get; init; }

    /// <summary>Returns true if nothing has changed. Called after each commit, so it compares what is cheap to compare.</summary>
    public bool IsOf(Sequencer sequencer, Replica replica) =>
        ReferenceEquals(VoterList, sequencer.Voters) && Members == replica.Identity.Members.Count && (Sequencer ?? 0) == sequencer.Current
            && Epoch == sequencer.State.Epoch && Waiting == sequencer.Waiting;
}
