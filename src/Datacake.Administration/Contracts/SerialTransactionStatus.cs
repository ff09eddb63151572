namespace Datacake.Administration;

/// <summary>The state of the serial transactions of a cluster, as one node sees it.</summary>
/// <param name="Voters">The ids of the nodes that vote.</param>
/// <param name="VoterCount">The number of voters, also of those that are no longer members. A majority of them decides.</param>
/// <param name="Sequencer">The id of the node that is the sequencer; null if the node knows none.</param>
/// <param name="Epoch">The number of the election that the node has last heard of.</param>
/// <param name="Waiting">The number of entries of the sequence that the node still keeps, for itself or for others.</param>
/// <param name="Decided">The number of serial transactions of the node that have taken effect since it started.</param>
/// <param name="Conflicts">The number of serial transactions of the node that were refused since it started, by the keyspace of the conflict; null if the node does not say.</param>
public sealed record SerialTransactionStatus(
    IReadOnlyList<int> Voters, int VoterCount, int? Sequencer, long Epoch, int Waiting, long Decided = 0, IReadOnlyDictionary<string, long>? Conflicts = null);
