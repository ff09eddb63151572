namespace Datacake.Simulation;

/// <summary>What can happen in a simulated cluster.</summary>
enum EventKind
{
    /// <summary>Time passes.</summary>
    Pass,

    /// <summary>A machine's wall clock is set, mostly wrongly.</summary>
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

    /// <summary>A replica does what it does from time to time.</summary>
    Tick,

    /// <summary>A replica pulls from a peer of its own accord.</summary>
    Pull,

    /// <summary>A replica truncates and purges what it may, all or in part.</summary>
    Collect,

    /// <summary>A disk is flushed.</summary>
    Flush,

    /// <summary>The next commit of a machine fails.</summary>
    FailCommit,

    /// <summary>A machine's disk has no room any more but for what makes room.</summary>
    Fill,

    /// <summary>It has room again.</summary>
    MakeRoom,

    /// <summary>A machine's writer is held up: what comes meanwhile ends up in one batch.</summary>
    Stall,

    /// <summary>It goes on.</summary>
    Resume,

    /// <summary>A machine flushes its disk and stops.</summary>
    Leave,

    /// <summary>A process dies; its disk loses nothing.</summary>
    Crash,

    /// <summary>A machine loses power, and some of its latest unflushed commits.</summary>
    LosePower,

    /// <summary>A machine's disk is replaced by an empty one.</summary>
    Wipe,

    /// <summary>A machine's disk is replaced by an empty one, and the machine started at once, while it reaches one other alone.</summary>
    Replace,

    /// <summary>A machine starts.</summary>
    Start,

    /// <summary>Messages no longer get from one machine to another; the other way they may.</summary>
    Block,

    /// <summary>Two machines can talk again.</summary>
    Unblock,

    /// <summary>The network falls into two parts.</summary>
    Partition,

    /// <summary>The network falls into two parts for so long that members of one forget those of the other.</summary>
    Estrange,

    /// <summary>All machines can talk again.</summary>
    Heal,

    /// <summary>A replica forgets an absent member.</summary>
    Forget,

    /// <summary>
    /// A machine is cut off while it joins. The others forget it, write, and collect; so that what it has of their data falls behind.
    /// </summary>
    Outpace,

    /// <summary>
    /// A machine with an empty disk joins at a member that the others do not reach, is cut off from that one midway, and reaches the others.
    /// </summary>
    Divert,

    /// <summary>An operator removes a member.</summary>
    Retire,

    /// <summary>Two machines talk until neither has anything more to say.</summary>
    Exchange,

    /// <summary>All machines that can talk do so, and some collect.</summary>
    Gather,

    /// <summary>One machine can no longer open a connection to another, as behind a NAT; the other way it works, and carries messages both ways.</summary>
    BlockDial,

    /// <summary>The wall clocks of some machines, or of all, leap by minutes, hours or days.</summary>
    Leap,

    /// <summary>The wall clocks of some machines, or of all, are set right.</summary>
    SetRight,

    /// <summary>Two machines change addresses; others look for each at the address of the other, until they hear of it.</summary>
    Swap,

    /// <summary>An operator drops a keyspace: what a machine shows of it is deleted.</summary>
    DropKeyspace,

    /// <summary>A copy of a machine's disk is made.</summary>
    Backup,

    /// <summary>A copy of a machine's disk is put back, and what it wrote since is gone from it.</summary>
    PutBack,

    /// <summary>A process is started several times in a row.</summary>
    Restart,

    /// <summary>An operator has a fresh machine form a cluster, though there is one.</summary>
    FormByMistake,

    /// <summary>A disk changes a bit of a record.</summary>
    Damage,

    /// <summary>A disk changes a bit of the key of a record.</summary>
    DamageKey,

    /// <summary>A disk loses a record without a trace.</summary>
    LoseRecord,

    /// <summary>Two machines that have forgotten all others, and deleted and written since, meet while both are written to.</summary>
    Meet,

    /// <summary>While a machine is down, another one with its node id and an empty disk is started, and stopped again.</summary>
    Impersonate,

    /// <summary>The member that lies tells another something that is not so.</summary>
    Lie,

    /// <summary>A disk loses the record of what its store is, and the machine is started.</summary>
    LoseIdentity,
}
