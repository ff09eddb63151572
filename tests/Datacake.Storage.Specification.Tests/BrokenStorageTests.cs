using Xunit.Sdk;

namespace Datacake.Storage.Specification.Tests;

/// <summary>Tests that the specification finds mistakes: each broken provider must fail the test for its mistake.</summary>
public sealed class BrokenStorageTests
{
    [Fact]
    public async Task A_provider_without_a_mistake_passes() =>
        Assert.Empty(await SpecificationRun.FailuresAsync(() => new BrokenSpecification(Mistake.None)));

    [Theory]
    [InlineData(Mistake.LostBatchTail, nameof(StorageSpecification.A_batch_may_hold_many_operations))]
    [InlineData(Mistake.TornBatch, nameof(StorageSpecification.A_reader_sees_all_of_a_batch_or_none_of_it))]
    [InlineData(Mistake.UnorderedScan, nameof(StorageSpecification.Keys_compare_as_unsigned_bytes))]
    [InlineData(Mistake.MovingSnapshot, nameof(StorageSpecification.A_snapshot_does_not_see_later_commits))]
    [InlineData(Mistake.DeleteLeavesKey, nameof(StorageSpecification.A_later_batch_replaces_and_removes_earlier_entries))]
    [InlineData(Mistake.EmptyValueIsAbsent, nameof(StorageSpecification.An_empty_value_is_not_an_absent_key))]
    [InlineData(Mistake.UpperBoundIncluded, nameof(StorageSpecification.A_scan_returns_the_entries_from_the_start_up_to_the_end))]
    [InlineData(Mistake.ReverseFromTheStart, nameof(StorageSpecification.Consecutive_pages_have_no_gaps_or_repetitions))]
    [InlineData(Mistake.LongPage, nameof(StorageSpecification.Consecutive_pages_have_no_gaps_or_repetitions))]
    [InlineData(Mistake.FirstOperationCounts, nameof(StorageSpecification.The_last_operation_on_a_key_wins_within_a_batch))]
    [InlineData(Mistake.IgnoresCancellation, nameof(StorageSpecification.A_call_with_a_canceled_token_does_nothing))]
    public async Task A_provider_with_a_mistake_fails_the_test_for_that_mistake(Mistake mistake, string test)
    {
        Dictionary<string, string> failures = await SpecificationRun.FailuresAsync(() => new BrokenSpecification(mistake));
        Assert.Contains(test, failures.Keys);
    }

    [Theory]
    [InlineData(Mistake.LostBatchTail)]
    [InlineData(Mistake.UnorderedScan)]
    [InlineData(Mistake.MovingSnapshot)]
    [InlineData(Mistake.DeleteLeavesKey)]
    [InlineData(Mistake.EmptyValueIsAbsent)]
    [InlineData(Mistake.UpperBoundIncluded)]
    [InlineData(Mistake.FirstOperationCounts)]
    public async Task Random_sequences_also_find_the_mistake(Mistake mistake)
    {
        await using var specification = new BrokenSpecification(mistake);
        await specification.InitializeAsync();
        await Assert.ThrowsAnyAsync<Exception>(
            specification.A_store_behaves_as_a_sorted_dictionary_under_any_sequence_of_operations);
    }

    [Theory]
    [InlineData(CarelessStorage.AcknowledgesFirst)]
    [InlineData(CarelessStorage.TearsBatches)]
    public async Task A_provider_that_is_careless_about_crashes_fails_when_it_is_killed(string carelessness)
    {
        using var specification = new CarelessSpecification(carelessness);
        await Assert.ThrowsAnyAsync<XunitException>(specification.Acknowledged_batches_survive_a_kill_and_no_batch_is_torn);
    }

    [Theory]
    [InlineData(CarelessStorage.AcknowledgesFirst, "was acknowledged before any of it was written")]
    [InlineData(CarelessStorage.NeverFlushes, "was acknowledged before the contents of")]
    public async Task A_provider_that_acknowledges_unwritten_batches_fails(string carelessness, string finding)
    {
        using var specification = new CarelessSpecification(carelessness);
        Exception failure = await Assert.ThrowsAnyAsync<XunitException>(
            specification.An_acknowledged_batch_is_written_and_a_flushed_one_is_on_the_disk);
        Assert.Contains(finding, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_provider_that_never_flushes_fails_when_the_power_fails()
    {
        using var specification = new CarelessSpecification(CarelessStorage.NeverFlushes);
        await Assert.ThrowsAnyAsync<XunitException>(specification.Flushed_batches_survive_a_power_loss_and_no_batch_is_torn);
    }

    // These classes are not public, so that the runner does not run them as tests.
    sealed class CarelessSpecification(string carelessness) : CrashSpecification
    {
        protected override string StoreName => carelessness;

        // The first kill is enough to reveal the mistake.
        protected override int Crashes => 1;

        protected override int PowerLosses => 100;

        protected override IStorage Open(string path) => CarelessStorage.Open(path);
    }

    sealed class BrokenSpecification(Mistake mistake) : StorageSpecification
    {
        protected override IStorage Open(string path) => new BrokenStorage(mistake);
    }
}
