using static Datacake.Simulation.Scenarios.EventKind;

namespace Datacake.Simulation.Scenarios;

/// <summary>The emphasis of a history: the frequency of each kind of event.</summary>
sealed record Theme(
    string Name, IReadOnlyDictionary<EventKind, double> Weights, bool IsSmall = false, int MinMachines = 2, int MinDocuments = 1)
{
    /// <summary>Gets the weight with which the theme is picked: higher if few of its histories reach the situations it is about.</summary>
    public int Share { get; init; } = 1;

    /// <summary>True if the theme is about serial transactions.</summary>
    public bool IsSerial { get; init; }

    /// <summary>
    /// True if some histories of the theme have serial transactions although it is about something else. The history does not have the records of sequencers, so that none of them may be damaged.
    /// </summary>
    public bool MayBeSerial => !IsSerial && !IsBounded && !HasLiar && !HasFollowers && !HasReleases && Weights[Damage] + Weights[DamageKey] + Weights[LoseRecord] == 0;

    /// <summary>True if the users of serial documents often delete them.</summary>
    public bool IsFleeting { get; init; }

    /// <summary>True if the documents have bounded counters.</summary>
    public bool IsBounded { get; init; }

    /// <summary>True if most documents expire.</summary>
    public bool HasExpiry { get; init; }

    /// <summary>True if the cluster has followers.</summary>
    public bool HasFollowers { get; init; }

    /// <summary>True if members leave in an orderly way.</summary>
    public bool HasReleases { get; init; }

    /// <summary>True if all members may become voters, of whom there are up to five.</summary>
    public bool AllVote { get; init; }

    /// <summary>True if there are one or two voters, so that the loss of one is the loss of the majority.</summary>
    public bool FewVote { get; init; }

    /// <summary>True if one of the members lies.</summary>
    public bool HasLiar { get; init; }

    /// <summary>True if the clock is usually behind when an old copy of a disk is restored.</summary>
    public bool IsBehind { get; init; }

    static readonly SortedDictionary<EventKind, double> Usual = new()
    {
        [Pass] = 4,
        [SetClock] = 1,
        [Write] = 24,
        [Deliver] = 40,
        [Drop] = 2,
        [Duplicate] = 2,
        [Dial] = 6,
        [Break] = 2,
        [Tick] = 10,
        [Pull] = 8,
        [Collect] = 6,
        [Flush] = 4,
        [FailCommit] = 0.7,
        [Fill] = 0.2,
        [MakeRoom] = 0.8,
        [Stall] = 2,
        [Resume] = 3,
        [Leave] = 0.5,
        [Crash] = 1.5,
        [LosePower] = 2,
        [Wipe] = 0.5,
        [Replace] = 0.2,
        [Start] = 8,
        [Block] = 1.5,
        [Unblock] = 2,
        [Partition] = 1,
        [Heal] = 1.5,
        [Forget] = 2,
        [Retire] = 0.2,
        [Exchange] = 5,
        [Gather] = 4,
        [Estrange] = 1.5,
        [Outpace] = 0.2,
        [BlockDial] = 0.7,
        [Leap] = 0.4,
        [SetRight] = 0.8,
        [Swap] = 0.3,
        [DropKeyspace] = 0.5,
        [Backup] = 1,
        [PutBack] = 0.2,
        [Restart] = 0.3,
        [FormByMistake] = 0.1,
        [Meet] = 0.1,
        [Divert] = 0.1,
        [Damage] = 0,
        [DamageKey] = 0,
        [LoseRecord] = 0,
        [Impersonate] = 0.1,
        [Lie] = 0,
        [LoseIdentity] = 0.1,
        [Sequence] = 0,
        [Depose] = 0,
        [Sell] = 0,
        [Alternate] = 0,
        [Supersede] = 0,
        [LoseMajority] = 0,
        [Follow] = 0,
        [Release] = 0,
    };

    static readonly EventKind[] Losses = [LosePower, Wipe, Replace, PutBack, Divert], Clocks = [SetClock, Leap], GivingUp = [Forget, Retire, Estrange, Outpace, Meet];

    /// <summary>Gets the theme without losses in which no member is given up, so that no full reconcile is ever needed.</summary>
    public static Theme Calm { get; } = Of("calm", [.. Losses, .. GivingUp]);

    public static IReadOnlyList<Theme> All { get; } =
    [
        Calm,
        Of("tails", [.. GivingUp, Wipe, Replace, PutBack, Divert], (LosePower, 8), (Start, 20), (Tick, 20), (Gather, 2)),
        Of("wipes", GivingUp, (Wipe, 4), (Tick, 20), (Start, 20), (LosePower, 1), (SetClock, 3), (Gather, 2)),
        Of("lives", [.. GivingUp, .. Clocks, LosePower, PutBack, Gather],
            (Wipe, 4), (Replace, 3), (Tick, 25), (Start, 30), (Exchange, 10), (Collect, 3)),
        Of("estranged", [.. Losses, Retire], (Estrange, 4), (Heal, 3), (Gather, 8), (Start, 20)),
        // Two sides that have forgotten each other meet while both receive writes.
        Of("meetings", [.. Losses, .. Clocks, Retire, Crash, Leave, Exchange, Gather, Partition],
            (Meet, 4), (Estrange, 1), (Heal, 8), (Unblock, 4), (Write, 30), (Deliver, 80), (Dial, 12), (Tick, 8), (Collect, 6), (Start, 20))
            with { IsSmall = true, MinDocuments = 3 },
        Of("removal", [], (Retire, 1), (Wipe, 1), (Tick, 15), (Start, 15), (Estrange, 1)),
        Of("duel", [.. Losses, .. GivingUp, Crash, Leave, Block, Partition, Break, Gather],
            (Write, 10), (Deliver, 50), (Tick, 15), (Collect, 12),
            (Exchange, 1), (Duplicate, 1), (Drop, 1)) with { IsSmall = true },
        Of("triangle", [.. Losses, Retire, Crash, Leave, Partition, Gather, Estrange],
            (Write, 10), (Deliver, 50), (Tick, 15), (Collect, 12),
            (Exchange, 2), (Forget, 4), (Break, 5)) with { IsSmall = true },
        Of("refusals", [.. GivingUp], (FailCommit, 8), (Stall, 6), (Resume, 6), (Tick, 15)),
        // Deletes succeed on full disks, where nothing else does.
        Of("full disks", [.. GivingUp, FailCommit], (Fill, 4), (MakeRoom, 2), (DropKeyspace, 5), (Stall, 6), (Resume, 6), (Tick, 15), (Dial, 12), (Start, 20)),
        // Messages outlive the session, the tail or the life that they belong to.
        Of("ghosts", [.. GivingUp, Wipe, Replace, PutBack, Divert, Pull, Exchange, Gather],
            (LosePower, 7), (Start, 25), (Write, 8), (Deliver, 40), (Tick, 10), (Dial, 16), (Collect, 8),
            (Flush, 1)) with { IsSmall = true },
        Of("rebirths", [.. GivingUp, .. Clocks, LosePower, PutBack, Pull, Exchange, Gather, Partition, Stall],
            (Replace, 8), (Start, 40), (Write, 30), (Deliver, 40), (Tick, 2), (Dial, 10), (Break, 12), (Pass, 6),
            (Collect, 2)) with { IsSmall = true, MinMachines = 3 },
        // Copies of the cluster's data break off and continue while the data changes.
        Of("cut joins", [.. Clocks, Retire, Pull, Exchange, Gather, Partition, Stall, LosePower, PutBack],
            (Wipe, 3), (Replace, 4), (Start, 40), (Write, 30), (Deliver, 80), (Tick, 12), (Dial, 20), (Break, 8), (Crash, 6),
            (Collect, 10), (Forget, 3), (Estrange, 0.3), (Flush, 20), (Outpace, 12), (Divert, 6)) with { IsSmall = true, MinDocuments = 3 },
        Of("outpaced joins", [.. Clocks, Retire, Pull, Exchange, Gather, Partition, Stall, LosePower, PutBack, Estrange],
            (Wipe, 4), (Replace, 4), (Start, 40), (Write, 30), (Deliver, 80), (Tick, 12), (Dial, 24), (Break, 8), (Crash, 6),
            (Collect, 10), (Forget, 3), (Flush, 20), (Outpace, 20)) with { IsSmall = true, MinMachines = 3, MinDocuments = 3 },
        Of("leaps and strangers", [.. Losses, Retire], (Leap, 4), (SetRight, 6), (Dial, 12), (Tick, 20), (Start, 20), (Estrange, 2)),
        Of("leaps", [.. Losses, .. GivingUp], (Leap, 6), (SetRight, 6), (Dial, 12), (Tick, 20), (Start, 20)),
        Of("leaps and losses", [.. GivingUp], (Leap, 4), (SetRight, 6), (Dial, 12), (Tick, 20), (Start, 20), (LosePower, 2)),
        Of("old copies", [.. GivingUp, .. Clocks, LosePower], (Backup, 8), (PutBack, 4), (Start, 30), (Dial, 15), (Tick, 15)),
        Of("old copies cut off", [.. GivingUp, .. Clocks, Gather, Exchange],
            (Backup, 8), (PutBack, 4), (Start, 30), (Dial, 15), (Tick, 15), (Partition, 3), (Heal, 1), (LosePower, 1)),
        Of("old copies behind", [.. GivingUp, .. Clocks, LosePower, Wipe, Replace, Partition, Stall],
            (Backup, 6), (PutBack, 6), (Start, 40), (Dial, 20), (Tick, 15), (Write, 30)) with { IsSmall = true, IsBehind = true, Share = 2 },
        Of("addresses", [.. Losses, .. GivingUp], (Swap, 5), (Dial, 20), (Start, 25), (Crash, 3), (Tick, 20), (BlockDial, 3)),
        Of("restarts", [.. GivingUp, .. Clocks, Wipe, Replace, PutBack, Divert], (Restart, 8), (Write, 30), (Collect, 12), (Dial, 15), (Tick, 20), (Gather, 6)),
        Of("mistakes", [LosePower, PutBack], (FormByMistake, 4), (Wipe, 3), (Retire, 1), (Impersonate, 3), (Start, 30), (Tick, 15)),
        // Damage is repaired without loss only while all others keep their data.
        Of("damage", [.. GivingUp, .. Losses], (Damage, 6), (DamageKey, 3), (LoseRecord, 3), (Tick, 20), (Collect, 8), (Start, 20), (Gather, 2)),
        Of("damage of few", [.. GivingUp, .. Losses], (Damage, 8), (DamageKey, 4), (LoseRecord, 4), (Tick, 20), (Collect, 8), (Write, 30), (Start, 20), (Crash, 3), (Deliver, 60))
            with { IsSmall = true, Share = 2 },
        // One member lies about everything but its data; no other member may lose anything by it.
        Of("a liar", [.. GivingUp, .. Losses], (Lie, 25), (Tick, 20), (Start, 20), (Deliver, 60), (Partition, 2), (Collect, 10), (Crash, 3))
            with { MinMachines = 3, HasLiar = true, Share = 2 },
        Of("mixed", []),
        // Elections, lost tails and partitions while serial transactions are made.
        Of("serial", [.. GivingUp, Wipe, Replace, Divert, Impersonate, FormByMistake, LoseIdentity, Restart, Swap, Leap],
            (Sequence, 300), (Deliver, 60), (Write, 4), (Pass, 1), (Start, 20), (Gather, 2), (Exchange, 2), (Partition, 2), (Heal, 3), (Dial, 12), (Backup, 3), (PutBack, 1.5))
            with { IsSerial = true, MinDocuments = 2 },
        // Few machines, which all vote; sequencers are cut off again and again, for a short time.
        Of("voters", [.. GivingUp, Wipe, Replace, Divert, Impersonate, FormByMistake, LoseIdentity, Restart, Swap, Leap, Damage, DropKeyspace],
            (Sequence, 300), (Depose, 30), (Deliver, 60), (Write, 1), (Pass, 1), (Start, 20), (Gather, 0.5), (Exchange, 1), (Partition, 0.5), (Heal, 6), (Dial, 12), (Crash, 3), (LosePower, 1), (Backup, 2), (PutBack, 0.5))
            with { IsSerial = true, MinDocuments = 2, AllVote = true },
        // Two voters become sequencers in turn, with wrong clocks, and neither hears what the other one has appended.
        Of("sequencers in turn", [.. GivingUp, Wipe, Replace, Divert, Impersonate, FormByMistake, LoseIdentity, Restart, Swap, Leap, Damage, DropKeyspace, PutBack],
            (Sequence, 250), (Alternate, 15), (SetClock, 6), (Deliver, 60), (Write, 1), (Pass, 1), (Start, 20), (Gather, 0.5), (Exchange, 1), (Heal, 6), (Dial, 30), (LosePower, 0.5))
            with { IsSerial = true, MinDocuments = 2, AllVote = true },
        // Sequencers that are cut off and forgotten, after they have applied something alone; the others delete it.
        Of("superseded", [PutBack, Wipe, Replace, Divert, Impersonate, FormByMistake, LoseIdentity, Restart, Swap, Leap, Meet, Outpace, Retire, Estrange, Damage],
            (Sequence, 250), (Supersede, 6), (Deliver, 60), (Write, 1), (Pass, 1), (Start, 20), (Gather, 6), (Exchange, 3), (Heal, 6), (Dial, 12), (Collect, 10), (Forget, 0.5))
            with { IsSerial = true, IsFleeting = true, MinDocuments = 2, AllVote = true },
        // Voters whose disks are replaced by empty ones, while sequencers are cut off.
        Of("replaced voters", [.. GivingUp, PutBack, LosePower, Divert, Impersonate, FormByMistake, LoseIdentity, Restart, Swap, Leap, Damage, DropKeyspace],
            (Sequence, 250), (Depose, 15), (Alternate, 4), (Replace, 3), (Wipe, 0.5), (Deliver, 60), (Write, 1), (Pass, 1), (Start, 30), (Gather, 2), (Exchange, 4), (Heal, 6), (Dial, 24), (Collect, 4))
            with { IsSerial = true, MinDocuments = 2, AllVote = true },
        // Majorities of the voters that are given up, and come back.
        Of("lost voters", [.. GivingUp, PutBack, Divert, Impersonate, FormByMistake, LoseIdentity, Restart, Swap, Leap, Damage, DropKeyspace],
            (Sequence, 250), (LoseMajority, 4), (Depose, 6), (Deliver, 60), (Write, 1), (Pass, 1), (Start, 30), (Gather, 2), (Exchange, 4), (Heal, 6), (Dial, 24), (Collect, 4), (Replace, 1), (Wipe, 0.5), (LosePower, 0.5))
            with { IsSerial = true, MinDocuments = 2, AllVote = true },
        // The only voters are replaced by empty stores, while the others have some of their entries and some of their effects. The operator founds the sequence anew.
        Of("few voters", [.. GivingUp, PutBack, Divert, Impersonate, FormByMistake, LoseIdentity, Restart, Swap, Leap, Damage, DropKeyspace],
            (Sequence, 250), (Replace, 2), (Wipe, 0.2), (Deliver, 60), (Write, 1), (Pass, 1), (Start, 30), (Gather, 2), (Exchange, 6), (Heal, 6), (Dial, 24), (Pull, 20), (Collect, 4))
            with { IsSerial = true, MinMachines = 3, MinDocuments = 2, FewVote = true },
        // Members that are forgotten, retired or replaced while serial transactions are made.
        Of("serial estranged", [PutBack, Divert, Impersonate, FormByMistake, LoseIdentity, Restart, Swap, Leap, Meet, Outpace],
            (Sequence, 250), (Depose, 4), (Deliver, 60), (Write, 6), (Pass, 1), (Start, 20), (Gather, 4), (Exchange, 3), (Partition, 2), (Heal, 4), (Dial, 12),
            (Collect, 15), (Forget, 3), (Estrange, 3), (Retire, 0.15), (Wipe, 0.3), (Replace, 0.2))
            with { IsSerial = true, MinDocuments = 2 },
        // Rights to bounded counters move while tails and disks are lost.
        Of("escrow", [.. GivingUp, PutBack, Divert, Impersonate, FormByMistake, LoseIdentity, DropKeyspace, Backup, Leap],
            (Sell, 60), (Write, 2), (Deliver, 50), (Tick, 12), (Start, 30), (Dial, 12), (Wipe, 1), (Replace, 0.3), (LosePower, 4), (Flush, 1), (Partition, 2), (Heal, 3), (Gather, 2), (Exchange, 2))
            with { IsBounded = true, IsSmall = true, Share = 2 },
        // Stores with sales of which nobody else knows yet are replaced.
        Of("escrow of the lost", [.. GivingUp, PutBack, Divert, Impersonate, FormByMistake, LoseIdentity, DropKeyspace, Backup, Leap, LosePower],
            (Sell, 60), (Write, 1), (Deliver, 60), (Tick, 20), (Start, 50), (Dial, 20), (Wipe, 1), (Replace, 5), (Heal, 5), (Gather, 6), (Exchange, 6))
            with { IsBounded = true, IsSmall = true },
        Of("escrow copies", [.. GivingUp, .. Clocks, Divert, Impersonate, FormByMistake, LoseIdentity, DropKeyspace, Gather],
            (Sell, 40), (Write, 2), (Deliver, 80), (Tick, 12), (Start, 20), (Dial, 12), (Wipe, 0.1), (Replace, 0), (Backup, 4), (PutBack, 3), (Partition, 2), (Heal, 3))
            with { IsBounded = true },
        // Documents expire while members are cut off, clocks are wrong, and earlier puts are on their way.
        Of("expiry", [.. GivingUp, Divert, Impersonate, FormByMistake, LoseIdentity, Swap],
            (Pass, 20), (SetClock, 4), (Write, 30), (Deliver, 40), (Tick, 12), (Collect, 12), (Partition, 2), (Heal, 3), (Dial, 10))
            with { HasExpiry = true },
        Of("expiry estranged", [.. Losses, Retire], (Pass, 15), (Estrange, 4), (Heal, 3), (Gather, 8), (Start, 20), (Collect, 10), (Forget, 3))
            with { HasExpiry = true },
        // Followers that are cut off, fall behind, and change their sources.
        Of("followers", [.. GivingUp, Wipe, Replace, PutBack, Divert, Impersonate, FormByMistake, LoseIdentity, Swap, Leap],
            (Follow, 120), (Write, 40), (Collect, 20), (Tick, 15), (Deliver, 60), (Start, 20), (Partition, 1), (Heal, 3))
            with { HasFollowers = true, MinDocuments = 2, Share = 2 },
        // Followers have what their sources have lost since.
        Of("followers of the lost", [.. GivingUp, Wipe, Replace, PutBack, Divert, Impersonate, FormByMistake, LoseIdentity, Swap, Leap, Partition],
            (Follow, 150), (Write, 15), (LosePower, 8), (Flush, 1), (Collect, 8), (Tick, 10), (Deliver, 30), (Start, 30))
            with { HasFollowers = true, MinDocuments = 3 },
        // Members are forgotten and retired meanwhile.
        Of("followers estranged", [Wipe, Replace, PutBack, Divert, Impersonate, FormByMistake, LoseIdentity, Swap, Leap, LosePower],
            (Follow, 120), (Write, 30), (Collect, 20), (Tick, 15), (Deliver, 60), (Start, 20), (Estrange, 2), (Heal, 3), (Gather, 6), (Forget, 3))
            with { HasFollowers = true, MinDocuments = 2 },
        // Members leave in an orderly way, and come back as empty stores.
        Of("releases", [.. GivingUp, .. Losses, Impersonate, FormByMistake, LoseIdentity, Restart, Swap, Leap, Damage, DropKeyspace],
            (Release, 60), (Sequence, 150), (Deliver, 60), (Write, 12), (Pass, 1), (Start, 20), (Gather, 1), (Exchange, 2), (Partition, 1), (Heal, 6), (Dial, 16), (Crash, 1))
            with { IsSerial = true, MinDocuments = 2, AllVote = true, HasReleases = true, Share = 2 },
        Of("releases and losses", [.. GivingUp, PutBack, Divert, Impersonate, FormByMistake, LoseIdentity, Restart, Swap, Leap, Damage, DropKeyspace],
            (Release, 120), (Deliver, 80), (Write, 20), (Pass, 1), (Start, 25), (Gather, 1), (Exchange, 2), (Partition, 2), (Heal, 4), (Dial, 20), (LosePower, 3), (Flush, 1), (Collect, 10), (Replace, 0.2), (Wipe, 0.1))
            with { IsSmall = true, MinDocuments = 2, HasReleases = true },
    ];

    /// <summary>Gets all themes, each repeated according to its share.</summary>
    public static IReadOnlyList<Theme> Shares { get; } = [.. All.SelectMany(theme => Enumerable.Repeat(theme, theme.Share))];

    static Theme Of(string name, EventKind[] never, params (EventKind Kind, double Weight)[] other)
    {
        var weights = new SortedDictionary<EventKind, double>(Usual);
        foreach (var kind in never)
            weights[kind] = 0;
        foreach (var (kind, weight) in other)
            weights[kind] = weight;
        return new Theme(name, weights);
    }

    public override string ToString() => Name;
}
