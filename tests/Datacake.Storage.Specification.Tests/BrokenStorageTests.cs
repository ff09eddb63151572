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
    [InlineData(Mistake.TornBatch, nameof(StorageSpecification.A_reader_sees_the_whole_of_a_batch_or_nothing_of_it))]
    [InlineData(Mistake.UnorderedScan, nameof(StorageSpecification.Keys_compare_as_unsigned_bytes))]
    [InlineData(Mistake.MovingSnapshot, nameof(StorageSpecification.A_snapshot_does_not_see_later_commits))]
    [InlineData(Mistake.DeleteLeavesKey, nameof(StorageSpecification.A_later_batch_replaces_and_removes_what_an_earlier_one_put))]
    [InlineData(Mistake.EmptyValueIsAbsent, nameof(StorageSpecification.An_empty_value_is_not_an_absent_key))]
    [InlineData(Mistake.UpperBoundIncluded, nameof(StorageSpecification.A_scan_returns_the_entries_from_the_start_up_to_the_end))]
    [InlineData(Mistake.ReverseFromTheStart, nameof(StorageSpecification.Pages_follow_one_another_without_gap_or_repetition))]
    [InlineData(Mistake.LongPage, nameof(StorageSpecification.Pages_follow_one_another_without_gap_or_repetition))]
    [InlineData(Mistake.FirstOperationCounts, nameof(StorageSpecification.The_last_operation_on_a_key_counts_in_a_batch))]
    [InlineData(Mistake.IgnoresCancellation, nameof(StorageSpecification.A_call_that_was_cancelled_before_does_nothing))]
    public async Task A_provider_with_a_mistake_fails_the_test_that_is_about_it(Mistake mistake, string test)
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
    public async Task A_mistake_is_found_by_random_sequences_too(Mistake mistake)
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
        await Assert.ThrowsAnyAsync<XunitException>(specification.After_a_kill_every_acknowledged_batch_is_there_and_no_part_of_another);
    }

    [Theory]
    [InlineData(CarelessStorage.AcknowledgesFirst, "was acknowledged before anything of it was written")]
    [InlineData(CarelessStorage.NeverFlushes, "was acknowledged before the contents of")]
    public async Task A_provider_that_does_not_write_what_it_acknowledges_fails(string carelessness, string finding)
    {
        using var specification = new CarelessSpecification(carelessness);
        Exception failure = await Assert.ThrowsAnyAsync<XunitException>(
            specification.A_batch_was_written_before_it_is_acknowledged_and_is_on_the_disk_if_it_is_flushed);
        Assert.Contains(finding, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_provider_that_never_flushes_fails_when_the_power_fails()
    {
        using var specification = new CarelessSpecification(CarelessStorage.NeverFlushes);
        await Assert.ThrowsAnyAsync<XunitException>(specification.After_a_loss_of_power_every_flushed_batch_is_there_and_no_part_of_one);
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
