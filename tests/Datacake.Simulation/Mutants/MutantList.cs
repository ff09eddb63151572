namespace Datacake.Simulation.Mutants;

/// <summary>All mutants; each is made anew for each history, for some remember what they have seen.</summary>
static class MutantList
{
    public static IReadOnlyList<Func<Mutant>> All { get; } =
    [
        () => new AscendingOrder(), () => new ClaimAtStart(), () => new ClaimTooLow(), () => new NoRecordsFromPull(),
            () => new NoCleanCut(),
        () => new ServeTruncated(), () => new NoReverseGate(),
        () => new ClaimFromZero(), () => new NoBaseCheck(), () => new ApplyEverything(), () => new AcknowledgeEverything(),
        () => new StableIgnoresAbsent(), () => new ForgottenForever(), () => new UnionAcrossRuns(), () => new PurgeAtOnce(),
            () => new PurgeByDelete(),
        () => new PurgeCellsAtOnce(), () => new EmptyTombstones(),
        () => new NoClockLease(), () => new NoFlush(), () => new TornCommits(), () => new JoinWithoutRoll(),
            () => new NoAssertion(), () => new ClaimBeforeReconcile(), () => new CloseGapEarly(), () => new CloseGapWithoutAbsent(),
    ];
}
