using Datacake.Crdt;
using Datacake.EventualConsistency.Leaving;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.EventualConsistency.Sequencing;
using Datacake.Simulation.Machines;

namespace Datacake.Simulation.Mutants;

sealed class LeaversKeepVotes() : Mutant("R22, S9: a store leaves while it is a voter")
{
    public override string? Theme => "releases";

    public override MachineFlaws Flaws { get; } = new() { NewDeparture = static (replica, sequencer, required, proof) => new Flawed(replica, sequencer, required, proof) };

    sealed class Flawed(Replica replica, Sequencer? sequencer, Func<int, int> required, ReadOnlyMemory<byte> proof) : Departure(replica, sequencer, required, proof)
    {
        protected override bool HasNoVote => true;
    }
}

sealed class LeaversDoNotWait() : Mutant("R22: a store does not wait until enough others have what it has")
{
    public override string? Theme => "releases";

    public override MachineFlaws Flaws { get; } = new() { NewDeparture = static (replica, sequencer, required, proof) => new Flawed(replica, sequencer, required, proof) };

    sealed class Flawed(Replica replica, Sequencer? sequencer, Func<int, int> required, ReadOnlyMemory<byte> proof) : Departure(replica, sequencer, required, proof)
    {
        protected override bool MayGoOn(VersionVector known) => true;
    }
}

sealed class LeaversTakeMore() : Mutant("R22: a store takes and acknowledges transactions after it has said what it has")
{
    public override string? Theme => "releases and losses";

    public override MachineFlaws Flaws { get; } = new() { NewDeparture = static (replica, sequencer, required, proof) => new Flawed(replica, sequencer, required, proof) };

    sealed class Flawed(Replica replica, Sequencer? sequencer, Func<int, int> required, ReadOnlyMemory<byte> proof) : Departure(replica, sequencer, required, proof)
    {
        protected override bool TakesNothing => false;
    }
}

sealed class LeaversStayAtOnce() : Mutant("R22: a store that has asked to be let go writes on before the answer")
{
    public override string? Theme => "releases and losses";

    public override ReplicaMessage OnReceiving(Machine target, Machine source, ReplicaMessage message)
    {
        if (target is { Departure: null, Replica: { IsLeaving: true, Identity: var identity } })
        {
            identity.AskedToLeave.Clear();
            identity.IsDirty = true;
        }
        return message;
    }
}

sealed class LeaversLetOthersGo() : Mutant("R22: a store that leaves lets others go")
{
    public override string? Theme => "releases and losses";

    public override ReplicaMessage OnReceiving(Machine target, Machine source, ReplicaMessage message)
    {
        if (message is LeaveRequest)
            target.Replica?.Stay();
        return message;
    }
}
