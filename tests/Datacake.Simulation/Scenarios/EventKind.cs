namespace Datacake.Simulation.Scenarios;

/// <summary>The kinds of events in a simulated cluster.</summary>
enum EventKind
{
    /// <summary>Time passes.</summary>
    Pass,

    /// <summary>A machine's wall clock is set, usually to a wrong time.</summary>
    SetClock,

    /// <summary>A transaction is committed.</summary>
    Write,

    /// <summary>A message arrives.</summary>
    Deliver,

    /// <summary>A message is lost.</summary>
    Drop,

    /// <summary>A message is sent a second time.</summary>
    Duplicate,

    /// <summary>A machine opens a session with another.</summary>
    Dial,

    /// <summary>A connection breaks: one side notices at once, the other later.</summary>
    Break,

    /// <summary>A replica does its periodic work.</summary>
    Tick,

    /// <summary>A replica pulls from a peer of its own accord.</summary>
    Pull,

    /// <summary>A replica truncates and purges everything it may, or a part of it.</summary>
    Collect,

    /// <summary>A disk is flushed.</summary>
    Flush,

    /// <summary>The next commit of a machine fails.</summary>
    FailCommit,

    /// <summary>A machine's disk fills up: it accepts only batches that make room.</summary>
    Fill,

    /// <summary>A full disk has room again.</summary>
    MakeRoom,

    /// <summary>A machine's writer stalls; work that arrives meanwhile ends up in one batch.</summary>
    Stall,

    /// <summary>A stalled writer continues.</summary>
    Resume,

    /// <summary>A machine flushes its disk and stops.</summary>
    Leave,

    /// <summary>A process dies; its disk loses nothing.</summary>
    Crash,

    /// <summary>A machine loses power, and some of its latest unflushed commits.</summary>
    LosePower,

    /// <summary>A machine's disk is replaced by an empty one.</summary>
    Wipe,

    /// <summary>A machine's disk is replaced by an empty one, and the machine starts at once while it can reach only one other machine.</summary>
    Replace,

    /// <summary>A machine starts.</summary>
    Start,

    /// <summary>Messages from one machine no longer reach another; the opposite direction may still work.</summary>
    Block,

    /// <summary>Two machines can talk again.</summary>
    Unblock,

    /// <summary>The network splits into two parts.</summary>
    Partition,

    /// <summary>The network splits into two parts for so long that members of one part forget members of the other.</summary>
    Estrange,

    /// <summary>All machines can talk again.</summary>
    Heal,

    /// <summary>A replica forgets an absent member.</summary>
    Forget,

    /// <summary>
    /// A machine is cut off while it joins. The others forget it, write, and collect, so that its partial copy of their data falls behind.
    /// </summary>
    Outpace,

    /// <summary>
    /// A machine with an empty disk starts to join through a member that the others cannot reach. Midway it is cut off from that member and
    /// reaches the others instead.
    /// </summary>
    Divert,

    /// <summary>An operator removes a member.</summary>
    Retire,

    /// <summary>Two machines exchange messages until neither has more to send.</summary>
    Exchange,

    /// <summary>All machines that can talk do so, and some collect.</summary>
    Gather,

    /// <summary>
    /// One machine can no longer open a connection to another, as if the other were behind a NAT. The other can still connect to it, and that
    /// connection carries messages both ways.
    /// </summary>
    BlockDial,

    /// <summary>The wall clocks of some or all machines jump by minutes, hours or days.</summary>
    Leap,

    /// <summary>The wall clocks of some or all machines are corrected.</summary>
    SetRight,

    /// <summary>Two machines exchange addresses; until the others learn of this, they dial each machine at the address of the other.</summary>
    Swap,

    /// <summary>An operator drops a keyspace: one machine deletes all documents of the keyspace that it shows.</summary>
    DropKeyspace,

    /// <summary>A disk is copied.</summary>
    Backup,

    /// <summary>An older copy of a machine's disk is restored, and everything that was written after the copy is missing from it.</summary>
    PutBack,

    /// <summary>A process is started several times in a row.</summary>
    Restart,

    /// <summary>An operator mistakenly has a fresh machine form a cluster although one exists.</summary>
    FormByMistake,

    /// <summary>A disk flips a bit of a record.</summary>
    Damage,

    /// <summary>A disk flips a bit in the key of a record.</summary>
    DamageKey,

    /// <summary>A disk loses a record without a trace.</summary>
    LoseRecord,

    /// <summary>Two machines that have forgotten all others, and have since deleted and written, meet while both receive writes.</summary>
    Meet,

    /// <summary>While a machine is down, another machine with its node id and an empty disk is started and stopped again.</summary>
    Impersonate,

    /// <summary>The lying member tells another member something false.</summary>
    Lie,

    /// <summary>A disk loses its store's identity record, and the machine is started.</summary>
    LoseIdentity,

    /// <summary>A little time passes, in which the sequencers and the users of serial transactions do what is due.</summary>
    Sequence,

    /// <summary>A sequencer is cut off from some or all others for a while, or its process dies; or such cuts end.</summary>
    Depose,

    /// <summary>A user adds to a bounded counter, or subtracts from it.</summary>
    Sell,

    /// <summary>Two machines become sequencers in turn, each by the votes of all but the other one, and little of what they send arrives.</summary>
    Alternate,

    /// <summary>A sequencer applies something of which no other machine hears, and is cut off and forgotten.</summary>
    Supersede,

    /// <summary>A follower, or a member for it, does something.</summary>
    Follow,

    /// <summary>A majority of the voters dies, an operator retires them and names a new voter, and some of them start again.</summary>
    LoseMajority,

    /// <summary>A member begins to leave in an orderly way, or does a step of that, or gives it up; or one that has left begins anew with an empty disk.</summary>
    Release,
}
