using Datacake.Crdt;
using Datacake.EventualConsistency;
using Datacake.Storage;

namespace Datacake.Simulation.Scenarios;

/// <summary>
/// The choices that a seed makes before anything happens: the size of the cluster, its documents, and the frequency of each kind of event.
/// Events are drawn beforehand rather than in reaction to what happens, so that a schedule remains valid when some events are removed.
/// </summary>
sealed record Scenario
{
    /// <summary>The number of events that are about serial transactions, in proportion to the others, in the histories of themes that are about something else.</summary>
    const double SerialPart = 0.5;

    public required int Seed { get; init; }

    public required Theme Theme { get; init; }

    public required int Machines { get; init; }

    public required IReadOnlyList<Slot> Slots { get; init; }

    /// <summary>True if some machines start late.</summary>
    public required bool HasLateStarts { get; init; }

    /// <summary>True if some documents are serial, and users make serial transactions.</summary>
    public required bool IsSerial { get; init; }

    /// <summary>True if the messages of a session arrive in order, as through a socket; replicas must not depend on it.</summary>
    public required bool IsInOrder { get; init; }

    public required Durability Durability { get; init; }

    /// <summary>Gets the approximate number of bytes of documents in a part of an answer to a pull.</summary>
    public required int PartLength { get; init; }

    public required int PageSize { get; init; }

    /// <summary>Gets the size limit of a document that a local write makes; merged documents may be larger.</summary>
    public required int MaxDocumentLength { get; init; }

    /// <summary>Gets the number of records that a replica forgets or clears away in one batch.</summary>
    public required int MaxStep { get; init; }

    /// <summary>Gets the greatest number of documents in a transaction of a full reconcile.</summary>
    public required int MaxAsserted { get; init; }

    /// <summary>Gets the greatest number of documents that a full reconcile removes because a single member says so.</summary>
    public required int MaxRemoved { get; init; }

    /// <summary>Gets the index of the lying machine, or null if there is none.</summary>
    public required int? Liar { get; init; }

    /// <summary>True if stores are retired only with an operator's proof.</summary>
    public bool HasOperator => Seed % 4 == 3;

    /// <summary>Gets the number of followers.</summary>
    public int Followers => Theme.HasFollowers ? 1 + (Seed % 2) : 0;

    /// <summary>Gets the number of voters that sequencers aim at.</summary>
    public int MaxVoters => Theme.AllVote ? 5 : Theme.FewVote ? 1 + (Seed % 2) : (Seed % 7) switch { 0 => 1, 1 => 2, 2 or 3 => 3, _ => 5 };

    /// <summary>Gets the number of decided entries that a store may still lack when it becomes a voter.</summary>
    public ulong MaxVoterLag => Seed % 5 < 2 ? 3UL : 0;

    /// <summary>True if messages between sequencers take long, in proportion to the time of an election.</summary>
    public bool IsSlow => Seed % 2 == 1;

    /// <summary>Gets the length of the entries in one message between sequencers: 1 for one entry in each.</summary>
    public int MaxSequenceLength => Seed % 3 == 0 ? 1_000_000 : 1;

    public required IReadOnlyDictionary<EventKind, double> Weights { get; init; }

    /// <summary>True if disks may be replaced by empty ones.</summary>
    bool HasWipes => Weights[EventKind.Wipe] + Weights[EventKind.Replace] + Weights[EventKind.Divert] > 0;

    /// <summary>True if commits or disks may be lost.</summary>
    public bool HasLosses => Weights[EventKind.LosePower] + Weights[EventKind.PutBack] + (HasWipes ? 1 : 0) > 0;

    /// <summary>True if members may be forgotten or retired.</summary>
    public bool GivesUp => Weights[EventKind.Forget] + Weights[EventKind.Retire] + Weights[EventKind.Estrange] + Weights[EventKind.Outpace]
        + Weights[EventKind.Meet] + Weights[EventKind.LoseMajority] + Weights[EventKind.Release] > 0;

    /// <summary>Returns the scenario of a seed.</summary>
    /// <param name="seed">The seed.</param>
    /// <param name="minMachines">The least number of machines.</param>
    /// <param name="maxMachines">The greatest number of machines.</param>
    /// <param name="themeName">The theme, or null to let the seed choose it.</param>
    public static Scenario Of(int seed, int minMachines, int maxMachines, string? themeName = null)
    {
        var random = new Random(seed);
        var chosen = Pick(random, Theme.Shares);
        var theme = themeName is null ? chosen : Theme.All.Single(theme => theme.Name == themeName);
        // The last kinds have no factor, so that adding them has changed no older history.
        var weights = theme.Weights.ToDictionary(weight => weight.Key, weight => weight.Key >= EventKind.Sequence ? weight.Value : weight.Value * Pick(random, [0.3, 1, 1, 3]));
        int machines = random.Next(3) == 0 ? random.Next(2, 4) : random.Next(minMachines, maxMachines + 1);
        int slots = random.Next(theme.MinDocuments, theme.MinDocuments + 3);
        if (theme.IsSmall)
            (machines, slots) = (random.Next(theme.MinMachines, 4), theme.MinDocuments + (random.Next(3) == 0 ? 1 : 0));
        if (theme.AllVote)
            machines = Pick(random, [3, 3, 4, 5, 5]);
        int policies = random.Next(4);
        // Serial transactions are a part of all histories of their themes, and of one in three of the others.
        bool isSerial = theme.IsSerial || (theme.MayBeSerial && seed % 3 == 1);
        int serialSlots = isSerial && !theme.IsSerial ? 2 : 0;
        if (serialSlots > 0)
            weights[EventKind.Sequence] = weights.Values.Sum() * SerialPart;
        var scenario = new Scenario
        {
            Seed = seed,
            Theme = theme,
            Machines = Math.Clamp(theme.HasLiar ? Math.Max(machines, 3) : machines, minMachines, maxMachines),
            Slots = [.. Enumerable.Range(0, slots + serialSlots)
                .Select(number => number >= slots || (theme.IsSerial && number > 0) ? new Slot(number, "accounts", MergePolicy.Serial, DocumentKey.Of(number)) : SlotOf(number, isDeleteWins: policies == 0 || (policies == 1 && number == 1), isUndeclared: policies == 2))],
            HasLateStarts = random.Next(3) > 0,
            IsSerial = isSerial,
            IsInOrder = random.Next(2) == 0,
            Durability = random.Next(4) == 0 ? Durability.Flushed : Durability.Buffered,
            PartLength = Pick(random, [1, 1, 40, 120, 100_000]),
            PageSize = Pick(random, [1, 2, 7, 500]),
            MaxDocumentLength = Pick(random, [1_000_000, 1_000_000, 1_000_000, 110]),
            MaxStep = Pick(random, [1, 2, 5, 1_000]),
            MaxAsserted = Pick(random, [1, 2, 1_000]),
            MaxRemoved = theme.HasLiar ? 0 : Pick(random, [1_000, 1_000, 1_000, 0]),
            Liar = theme.HasLiar ? random.Next(3) : null,
            Weights = weights,
        };
        // Where members are given up, the new life of a wiped disk needs a correct clock [R12].
        if (scenario.GivesUp && scenario.HasWipes)
            weights[EventKind.Leap] = 0;
        return scenario;
    }

    public SimulatedEvent[] DrawEvents(int count) => DrawEvents(Weights, Seed + 1_000_003, count);

    /// <summary>Draws harmless events for a cluster that has come to rest: from then on, no full reconcile may be needed.</summary>
    public SimulatedEvent[] DrawCalmEvents(int count) => DrawEvents(Theme.Calm.Weights, Seed + 2_000_003, count);

    SimulatedEvent[] DrawEvents(IReadOnlyDictionary<EventKind, double> weights, int seed, int count)
    {
        var random = new Random(seed);
        double total = weights.Values.Sum();
        var events = new SimulatedEvent[count];
        for (int i = 0; i < count; i++)
        {
            double at = random.NextDouble() * total;
            var kind = weights.First(weight => (at -= weight.Value) < 0 || weight.Key == weights.Keys.Last()).Key;
            events[i] = new SimulatedEvent(kind, random.Next(Machines), random.Next(Machines), random.Next(1 << 20));
        }
        return events;
    }

    static Slot SlotOf(int number, bool isDeleteWins, bool isUndeclared) => isDeleteWins
        ? new Slot(number, "strict", MergePolicy.DeleteWins, DocumentKey.Of(number))
        : new Slot(number, isUndeclared ? (number % 2 == 0 ? "scraps" : "crumbs") : "cakes", MergePolicy.LastWriterWins, DocumentKey.Of(number));

    static T Pick<T>(Random random, IReadOnlyList<T> choices) => choices[random.Next(choices.Count)];

    public override string ToString() =>
        $"{Theme.Name}, {Machines} machines, documents {string.Join(" ", Slots)}, "
        + $"{(IsInOrder ? "ordered" : "unordered")} sessions, {Durability} commits, "
        + $"parts of {PartLength} bytes, pages of {PageSize}";
}
