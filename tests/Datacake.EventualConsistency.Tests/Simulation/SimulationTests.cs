using System.Security.Cryptography;
using Datacake.Simulation.Exploration;
using Datacake.Simulation.Mutants;
using Datacake.Simulation.Scenarios;
using Datacake.Simulation.Worlds;

namespace Datacake.EventualConsistency.Tests.Simulation;

/// <summary>Simulated clusters under every kind of fault. A failure names its seed; run it again with <c>Datacake.Simulation --seed N</c>.</summary>
public sealed class SimulationTests
{
    const int MinMachines = 2, MaxMachines = 6, Events = 300, Seeds = 60, SerialEvents = 600, SerialSeeds = 30;

    [Theory]
    [InlineData(0)]
    [InlineData(1 * Seeds)]
    [InlineData(2 * Seeds)]
    [InlineData(3 * Seeds)]
    public void Known_seeds_break_no_invariant(int first)
    {
        for (int seed = first; seed < first + Seeds; seed++)
            Explore(seed);
    }

    [Fact]
    public void New_seeds_break_no_invariant()
    {
        int first = RandomNumberGenerator.GetInt32(1_000_000, 1_000_000_000);
        for (int seed = first; seed < first + Seeds; seed++)
            Explore(seed);
    }

    [Fact]
    public void Seed_always_produces_the_same_history()
    {
        string[] first = HistoryOf(17), second = HistoryOf(17);
        Assert.NotEmpty(first);
        Assert.Equal(first, second);
    }

    [Theory]
    [InlineData("AscendingOrder")]
    [InlineData("ClaimAtStart")]
    [InlineData("NoCleanCut")]
    [InlineData("NoBaseCheck")]
    [InlineData("AcknowledgeEverything")]
    [InlineData("StableIgnoresAbsent")]
    [InlineData("PurgeAtOnce")]
    [InlineData("PurgeCellsAtOnce")]
    [InlineData("NoClockLease")]
    [InlineData("TornCommits")]
    [InlineData("JoinWithoutRoll")]
    [InlineData("DropAllAbsent")]
    [InlineData("GoOnAnywhere")]
    [InlineData("OldCopiesAreTaken")]
    [InlineData("ChecksumsAreNotVerified")]
    [InlineData("DamagedStoresAnswer")]
    [InlineData("EmptyDisksTakeOver")]
    [InlineData("SnapshotsAreTakenUnasked")]
    [InlineData("HearsayRaisesRuns")]
    [InlineData("LostDocumentsAreNotFetched")]
    [InlineData("DeadKeyspacesAreRemoved")]
    [InlineData("FreshWithoutIdentity")]
    [InlineData("AnyProofRetires")]
    public void Broken_rule_is_detected(string name)
    {
        var mutant = MutantList.All.Single(mutant => mutant().Name == name);
        Assert.NotNull(Explorer.Catch(mutant, first: 0, seeds: 400, MinMachines, MaxMachines, Events));
    }

    [Fact]
    public void Serial_transactions_break_no_invariant()
    {
        for (int seed = 0; seed < SerialSeeds; seed++)
            Explore(seed, SerialEvents, "serial");
    }

    [Theory]
    [InlineData("VotesForAnyone")]
    [InlineData("DropsUnknownEffects")]
    [InlineData("RetriesAreNew")]
    [InlineData("ConditionsAreNotChecked")]
    [InlineData("DoesNotApplyAgain")]
    [InlineData("ChecksStoreAlone")]
    public void Broken_rule_of_serial_transactions_is_detected(string name)
    {
        var mutant = MutantList.All.Single(mutant => mutant().Name == name);
        Assert.NotNull(Explorer.Catch(mutant, first: 0, seeds: 400, MinMachines, MaxMachines, SerialEvents));
    }

    [Theory]
    [InlineData("escrow")]
    [InlineData("escrow copies")]
    public void Bounded_counters_break_no_invariant(string theme)
    {
        for (int seed = 0; seed < Seeds; seed++)
            Explore(seed, Events, theme);
    }

    [Theory]
    [InlineData("RightsOutliveRuns")]
    [InlineData("GiftsAreKept")]
    [InlineData("GroundIsNotChecked")]
    [InlineData("SalesAreNotFlushed")]
    [InlineData("DecidesBeforeCommit")]
    public void Broken_rule_of_bounded_counters_is_detected(string name)
    {
        var mutant = MutantList.All.Single(mutant => mutant().Name == name);
        Assert.NotNull(Explorer.Catch(mutant, first: 0, seeds: 400, MinMachines, MaxMachines, Events));
    }

    static void Explore(int seed, int events = Events, string? theme = null)
    {
        if (Explorer.Explore(seed, MinMachines, MaxMachines, events, new Statistics(), theme) is { } failure)
            Assert.Fail(Explorer.Shrink(failure, TimeSpan.FromSeconds(30)).ToString());
    }

    static string[] HistoryOf(int seed)
    {
        var scenario = Scenario.Of(seed, MinMachines, MaxMachines);
        var history = new List<string>();
        Assert.Null(Explorer.Run(scenario, scenario.DrawEvents(Events), new Statistics(), history.Add));
        return [.. history];
    }
}
