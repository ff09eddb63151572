using Datacake.Crdt;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.Simulation.Mutants;

/// <summary>
/// A rule of the protocol that is broken, to see whether that is noticed. It works around the shipped code, which knows nothing of it: it
/// forges what
/// a replica is told, adds to its batches, or damages its disk. By itself it breaks nothing.
/// </summary>
class Mutant(string rule)
{
    /// <summary>Breaks nothing.</summary>
    public static Mutant None { get; } = new("none");

    public string Name => GetType().Name;

    /// <summary>The rule, and how it is broken.</summary>
    public string Rule { get; } = rule;

    /// <summary>Gets the theme of the histories that come to what the rule is about, or null if those of most themes do.</summary>
    public virtual string? Theme => null;

    /// <summary>Whether commits that have to be flushed are not.</summary>
    public virtual bool NeverFlushes => false;

    /// <summary>True if damaged records have the checksums of what they have become.</summary>
    public virtual bool HidesDamage => false;

    /// <summary>True if replicas answer pulls while they have damaged records, or such that were mended and not counted.</summary>
    public virtual bool AnswersWhileMending => false;

    /// <summary>True if damaged documents are replaced by what others have, whatever that lacks.</summary>
    public virtual bool MendsAtOnce => false;

    /// <summary>True if a keyspace that has lost documents is counted again before they are back.</summary>
    public virtual bool CountsWithoutTheLost => false;

    /// <summary>Whether a power loss can tear a commit in two.</summary>
    public virtual bool TearsCommits => false;

    /// <summary>True if the streams of sessions that a replica has ended stay open.</summary>
    public virtual bool KeepsEndedStreams => false;

    /// <summary>True if all lives of a store begin at the same step of their clock.</summary>
    public virtual bool LivesBeginAlike => false;

    /// <summary>True if of two nodes only the one with the lower id dials.</summary>
    public virtual bool OnlyLowerDials => false;

    /// <summary>True if a fresh store takes seeds that it cannot reach for fresh ones.</summary>
    public virtual bool FormsAlone => false;

    /// <summary>Gets what tells whether an operator has retired a store, where that needs a proof.</summary>
    public virtual IRetirementAuthority Authority => SimulatedOperator.Instance;

    /// <summary>The process of a machine is about to start.</summary>
    public virtual void OnStarting(Machine machine)
    {
    }

    /// <summary>What a machine receives in place of a message.</summary>
    public virtual ReplicaMessage OnReceiving(Machine target, Machine source, ReplicaMessage message) => message;

    /// <summary>What a machine answers to a pull in place of the parts.</summary>
    public virtual IReadOnlyList<ReplicaMessage> OnAnswering(Machine source, IReadOnlyList<ReplicaMessage> parts) => parts;

    /// <summary>A session was opened.</summary>
    public virtual void OnOpened(Machine machine, Hello hello)
    {
    }

    /// <summary>A message was applied to a batch; returns what is acknowledged.</summary>
    public virtual ValueTask<IReadOnlyList<StampInterval>> OnAppliedAsync(
        Machine target, ReplicaBatch batch, Machine source, ReplicaMessage message, IReadOnlyList<StampInterval> applied) => new(applied);

    /// <summary>A replica collects, or else ticks: calls <paramref name="work"/>.</summary>
    public virtual async ValueTask AroundAsync(Machine machine, ReplicaBatch batch, bool isCollecting, Func<ValueTask> work) =>
        await work();
}
