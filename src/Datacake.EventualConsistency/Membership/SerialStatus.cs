using System.Collections.ObjectModel;
using Datacake.EventualConsistency.Sequencing;
using Datacake.Node;

namespace Datacake.EventualConsistency;

/// <summary>The state of the serial transactions of a cluster, as one node sees it.</summary>
/// <param name="Voters">The nodes of the voters that are members.</param>
/// <param name="VoterCount">The number of voters, also of those that are no longer members. A majority of them decides.</param>
/// <param name="Sequencer">The node that is the sequencer; null if this node knows none.</param>
/// <param name="Epoch">The number of the election that this node has last heard of.</param>
/// <param name="Waiting">The number of entries of the sequence that this node still keeps, for itself or for others.</param>
public sealed record SerialStatus(NodeSet Voters, int VoterCount, byte? Sequencer, long Epoch, int Waiting)
{
    /// <summary>Gets the number of serial transactions of this node that have taken effect since it started.</summary>
    public long Decided { get; init; }

    /// <summary>Gets the number of serial transactions of this node that were refused since it started, by the keyspace of the conflict.</summary>
    public IReadOnlyDictionary<string, long> Conflicts { get; init; } = ReadOnlyDictionary<string, long>.Empty;

    /// <summary>Gets the nodes of the voters that are no longer members, as far as this node has known them as members since it started.</summary>
    internal NodeSet RetiredVoters { get; init; }

    /// <summary>Gets the founding of the sequence that this node follows.</summary>
    internal Founding Founding { get; init; }
}
