using Datacake.EventualConsistency.Escrow;
using Datacake.EventualConsistency.Leaving;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Sequencing;

namespace Datacake.Simulation.Machines;

/// <summary>The flaws of a machine, each of which breaks a rule of the protocol.</summary>
sealed record MachineFlaws
{
    /// <summary>Gets the flaws of a sound machine, which has none.</summary>
    public static MachineFlaws None { get; } = new();

    /// <summary>True if commits are never flushed, even those that must be.</summary>
    public bool NeverFlushes { get; init; }

    /// <summary>True if damaged records get checksums that match the damage.</summary>
    public bool HidesDamage { get; init; }

    /// <summary>True if a power loss can tear a commit in two.</summary>
    public bool TearsCommits { get; init; }

    /// <summary>True if all lives of a store begin at the same step of its clock.</summary>
    public bool LivesBeginAlike { get; init; }

    /// <summary>True if a store that was restored from an older copy takes itself for the voter that it was.</summary>
    public bool RestoredStoresVote { get; init; }

    /// <summary>Gets the constructor of the sequencer of serial transactions.</summary>
    public Func<SequencerSettings, Replica, SequenceLog, Sequencer> NewSequencer { get; init; } = static (settings, replica, log) => new Sequencer(settings, replica, log);

    /// <summary>Gets the constructor of the departure of a store that leaves.</summary>
    public Func<Replica, Sequencer?, Func<int, int>, ReadOnlyMemory<byte>, Departure> NewDeparture { get; init; } =
        static (replica, sequencer, required, proof) => new Departure(replica, sequencer, required, proof);

    /// <summary>Gets the rules for the rights to bounded counters.</summary>
    public EscrowRules Escrow { get; init; } = new();

    /// <summary>Gets the authority that verifies whether an operator has retired a store, where retirement needs a proof.</summary>
    public IRetirementAuthority Authority { get; init; } = SimulatedOperator.Instance;
}
