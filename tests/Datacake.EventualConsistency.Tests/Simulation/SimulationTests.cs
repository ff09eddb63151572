using System.Security.Cryptography;
using Datacake.Simulation;
using Datacake.Simulation.Mutants;

namespace Datacake.EventualConsistency.Tests.Simulation;

/// <summary>Simulated clusters under every fault. A failure names its seed, which <c>Datacake.Simulation --seed N</c> runs again.</summary>
public sealed class SimulationTests
{
    const int MinMachines = 2, MaxMachines = 6, Events = 300, Seeds = 60;

    [Theory]
    [InlineData(0)]
    [InlineData(1 * Seeds)]
    [InlineData(2 * Seeds)]
    [InlineData(3 * Seeds)]
    public void No_history_of_the_known_seeds_breaks_an_invariant(int first)
    {
        for (int seed = first; seed < first + Seeds; seed++)
            Explore(seed);
    }

    [Fact]
    public void No_history_of_new_seeds_breaks_an_invariant()
    {
        int first = RandomNumberGenerator.GetInt32(1_000_000, 1_000_000_000);
        for (int seed = first; seed < first + Seeds; seed++)
            Explore(seed);
    }

    [Fact]
    public void A_seed_always_has_the_same_history()
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
    public void A_broken_rule_is_noticed(string name)
    {
        var mutant = MutantList.All.Single(mutant => mutant().Name == name);
        Assert.NotNull(Explorer.Catch(mutant, first: 0, seeds: 400, MinMachines, MaxMachines, Events));
    }

    static void Explore(int seed)
    {
        if (Explorer.Explore(seed, MinMachines, MaxMachines, Events, new Statistics()) is { } failure)
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
