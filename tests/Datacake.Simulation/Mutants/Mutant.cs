using Datacake.Crdt;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Simulation.Machines;

namespace Datacake.Simulation.Mutants;

/// <summary>
/// A broken rule of the protocol, to test whether the simulator notices. A mutant works around the shipped code, which knows nothing of it:
/// the mutant forges the messages that a replica receives, adds to its batches, or damages its disk. This base class breaks nothing.
/// </summary>
class Mutant(string rule)
{
    /// <summary>Gets the mutant that breaks nothing.</summary>
    public static Mutant None { get; } = new("none");

    public string Name => GetType().Name;

    /// <summary>Gets the rule and how it is broken.</summary>
    public string Rule { get; } = rule;

    /// <summary>Gets the theme of the histories that exercise the rule, or null if most themes do.</summary>
    public virtual string? Theme => null;

    /// <summary>Gets the flaws of all machines.</summary>
    public virtual MachineFlaws Flaws => MachineFlaws.None;

    /// <summary>True if replicas answer pulls while they have damaged records, or repaired records that are not counted yet.</summary>
    public virtual bool AnswersWhileRepairing => false;

    /// <summary>True if damaged documents are replaced by another replica's copy, even if that copy is incomplete.</summary>
    public virtual bool RepairsAtOnce => false;

    /// <summary>True if a keyspace that has lost documents is recounted before they are restored.</summary>
    public virtual bool CountsWithoutTheLost => false;

    /// <summary>True if the streams of sessions that a replica has ended stay open.</summary>
    public virtual bool KeepsEndedStreams => false;

    /// <summary>True if only the node with the lower id dials the other.</summary>
    public virtual bool OnlyLowerDials => false;

    /// <summary>True if a fresh store assumes that seeds it cannot reach are fresh.</summary>
    public virtual bool FormsAlone => false;

    /// <summary>True if the feed of a member gives a follower steps from before the follower's own difference.</summary>
    public virtual bool FeedsFromTheStart => false;

    /// <summary>True if members send followers steps that lead to no more than they know.</summary>
    public virtual bool SendsOldSteps => false;

    /// <summary>True if what a follower has and a new copy lacks stays.</summary>
    public virtual bool MergesCopies => false;

    /// <summary>True if sources answer followers that have discarded what the source does not know.</summary>
    public virtual bool AnswersAnyFollower => false;

    /// <summary>True if followers believe that they show the same as their sources.</summary>
    public virtual bool NeverCompares => false;

    /// <summary>True if a follower takes its place in the feed only after the feed has gone on.</summary>
    public virtual bool TakesPlaceLate => false;

    /// <summary>Returns the message that a follower receives in place of another.</summary>
    public virtual ReplicaMessage OnFollowing(ReplicaMessage message) => message;

    /// <summary>Called when the process of a machine is about to start.</summary>
    public virtual void OnStarting(Machine machine)
    {
    }

    /// <summary>Returns the message that a machine receives in place of another.</summary>
    public virtual ReplicaMessage OnReceiving(Machine target, Machine source, ReplicaMessage message) => message;

    /// <summary>Returns the parts with which a machine answers a pull in place of the given ones.</summary>
    public virtual IReadOnlyList<ReplicaMessage> OnAnswering(Machine source, IReadOnlyList<ReplicaMessage> parts) => parts;

    /// <summary>Called when a session was opened.</summary>
    public virtual void OnOpened(Machine machine, Hello hello)
    {
    }

    /// <summary>Called when a message was applied to a batch. Returns the stamps to acknowledge.</summary>
    public virtual ValueTask<IReadOnlyList<StampInterval>> OnAppliedAsync(
        Machine target, ReplicaBatch batch, Machine source, ReplicaMessage message, IReadOnlyList<StampInterval> applied) => new(applied);

    /// <summary>Called when a replica collects or ticks; calls <paramref name="work"/>.</summary>
    public virtual async ValueTask AroundAsync(Machine machine, ReplicaBatch batch, bool isCollecting, Func<ValueTask> work) =>
        await work();
}
