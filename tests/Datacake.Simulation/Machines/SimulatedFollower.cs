using Datacake.EventualConsistency.Replication;
using Datacake.Simulation.Histories;

namespace Datacake.Simulation.Machines;

/// <summary>A follower: a machine that is no member of the cluster, with its connection to one.</summary>
sealed class SimulatedFollower(Machine machine)
{
    public Machine Machine { get; } = machine;

    public FollowerStream? Stream { get; set; }

    /// <summary>Gets the batches that were committed since the last look.</summary>
    public List<ReplicaBatch> Committed { get; } = [];

    /// <summary>Gets or sets the transactions in a first copy that has not arrived as a whole.</summary>
    public Holdings Copied { get; set; } = Holdings.None;

    /// <summary>Gets or sets the transactions in a snapshot that is to replace the copy.</summary>
    public Holdings Arriving { get; set; } = Holdings.None;

    /// <summary>Gets or sets the transactions in a snapshot that replaces the copy with the current batch.</summary>
    public Holdings Replaced { get; set; } = Holdings.None;

    /// <summary>Gets or sets the transactions of a difference of which parts wait for a clean cut.</summary>
    public Holdings Offered { get; set; } = Holdings.None;
}
