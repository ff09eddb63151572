namespace Datacake.Simulation.Mutants;

/// <summary>All mutants. Each history gets new instances, because some mutants keep state.</summary>
static class MutantList
{
    public static IReadOnlyList<Func<Mutant>> All { get; } =
    [
        () => new AscendingOrder(), () => new ClaimAtStart(), () => new ClaimTooLow(), () => new NoRecordsFromPull(),
        () => new NoCleanCut(), () => new ServeTruncated(), () => new NoReverseGate(),
        () => new ClaimFromZero(), () => new ClaimFromRun(), () => new NoBaseCheck(), () => new ApplyEverything(),
        () => new AcknowledgeEverything(),
        () => new StableIgnoresAbsent(), () => new ForgottenForever(), () => new JoiningDoesNotCount(), () => new UnionAcrossRuns(),
        () => new EarlierLivesCount(), () => new PurgeAtOnce(), () => new PurgeByDelete(), () => new PurgeCellsAtOnce(),
        () => new EmptyTombstones(), () => new TruncatePartly(), () => new PutsPurgeNothing(), () => new DeadKeyspacesAreRemoved(),
        () => new NoClockLease(), () => new LivesAreAlike(), () => new NoFlush(), () => new TornCommits(), () => new RetirementsStayLocal(),
        () => new EmptyDisksTakeOver(),
        () => new JoinWithoutRoll(), () => new GoOnWithoutChanges(), () => new GoOnAnywhere(),
        () => new NoAssertion(), () => new DropAllAbsent(), () => new NothingIsWrittenAgain(),
        () => new ClaimBeforeReconcile(), () => new CloseGapAtOnce(), () => new CloseGapEarly(), () => new CloseGapWithoutAbsent(),
        () => new ClocksByStamps(), () => new LongLease(), () => new OldCopiesAreTaken(), () => new EndedStreamsStay(), () => new LowerDials(),
        () => new ClustersMerge(), () => new FormAlone(),
        () => new SnapshotsAreTakenUnasked(), () => new HearsayRaisesRuns(), () => new RemovalsAreNotHeldBack(), () => new FreshWithoutIdentity(), () => new AnyProofRetires(),
        () => new ChecksumsAreNotVerified(), () => new DamagedStoresAnswer(), () => new RepairedWithAnything(),
        () => new LostDocumentsAreNotFetched(),
        () => new SequenceIsNotFlushed(), () => new VotesForAnyone(), () => new VotesAreNotCounted(), () => new NoLimits(), () => new DropsUnknownEffects(),
        () => new ReadsWithoutRound(), () => new TokensOfOne(), () => new RetriesAreNew(), () => new AcknowledgesUnseen(), () => new ConditionsAreNotChecked(),
        () => new AbsentMembersReturn(), () => new DecidesOldEpochs(), () => new DoesNotApplyAgain(), () => new TakesRequestsAtOnce(), () => new ChecksStoreAlone(), () => new RangesIgnoreWaiting(), () => new UniqueIndexesIgnoreWaiting(), () => new NumbersAreNotInherited(), () => new RefusalsTakeNumbers(), () => new RefusalsAreNotDecided(),
        () => new ChangesVotersAtOnce(), () => new AddsVotersThatLag(), () => new VotesExpire(), () => new RestoredStoresVote(), () => new ReplacedStoresVote(), () => new TokensOutliveSessions(), () => new FoundersForget(), () => new FoundingsTear(),
        () => new MinorityDecides(), () => new OutcomesExpire(), () => new SerialDocumentsReturn(),
        () => new RightsOutliveRuns(), () => new RightsBelongToNodes(), () => new GiftsAreKept(), () => new GroundIsNotChecked(), () => new SalesAreNotFlushed(), () => new DecidesBeforeCommit(),
        () => new FollowersTakeOldSteps(), () => new SourcesNeverDecline(), () => new CopiesAreMerged(), () => new FollowersNeverCompare(), () => new FeedsLeaveOut(), () => new FollowersClaimAtOnce(),
        () => new LeaversKeepVotes(), () => new LeaversDoNotWait(), () => new LeaversTakeMore(), () => new LeaversStayAtOnce(), () => new LeaversLetOthersGo(),
        () => new ExpiredAreForgotten(), () => new ExpiriesAreNotSent(), () => new UpdatesRevive(), () => new ExpiryIsNoPurge(),
    ];
}
