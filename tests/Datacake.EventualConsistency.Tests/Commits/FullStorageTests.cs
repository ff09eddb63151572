using Datacake.EventualConsistency.Commits;
using Datacake.Rpc.Tests.Fixtures;

namespace Datacake.EventualConsistency.Tests.Commits;

/// <summary>The rule by which a storage that was full counts as having room again.</summary>
public sealed class FullStorageTests
{
    readonly ManualTimeProvider _time = new();
    readonly FullStorage _full;

    public FullStorageTests() => _full = new FullStorage(_time);

    [Fact]
    public void Commit_of_the_refused_size_shows_that_there_is_room_and_a_smaller_one_does_not()
    {
        _full.OnRefused(1_000);

        Assert.False(_full.HasRoomAfter(800));
        Assert.True(_full.HasRoomAfter(1_000));
    }

    [Fact]
    public void Small_commit_shows_that_there_is_room_once_nothing_was_refused_for_a_while()
    {
        _full.OnRefused(1_000);
        _time.Advance(FullStorage.FirstWait - TimeSpan.FromTicks(1));
        Assert.False(_full.HasRoomAfter(1));
        _full.OnRefused(2_000);
        _time.Advance(FullStorage.FirstWait - TimeSpan.FromTicks(1));
        Assert.False(_full.HasRoomAfter(1));
        _time.Advance(TimeSpan.FromTicks(1));

        Assert.True(_full.HasRoomAfter(1));
    }

    [Fact]
    public void Storage_that_refuses_every_half_minute_changes_its_state_a_few_times_only()
    {
        int changes = 0;
        for (int round = 0; round < 1_000; round++)
        {
            _full.OnRefused(1_000);
            for (bool isFull = true; isFull && _time.GetUtcNow() < DateTimeOffset.UnixEpoch + (round + 1) * TimeSpan.FromSeconds(30); _time.Advance(TimeSpan.FromSeconds(1)))
            {
                isFull = !_full.HasRoomAfter(1);
                changes += isFull ? 0 : 1;
            }
            _time.Advance(DateTimeOffset.UnixEpoch + (round + 1) * TimeSpan.FromSeconds(30) - _time.GetUtcNow());
        }

        Assert.InRange(changes, 1, 3);
    }

    [Fact]
    public void Wait_is_bounded_however_often_the_storage_is_refused_something_again()
    {
        for (int round = 0; round < 100; round++)
        {
            _full.OnRefused(1_000);
            _time.Advance(FullStorage.LongestWait);
            Assert.True(_full.HasRoomAfter(1));
        }
    }

    [Fact]
    public void Wait_is_short_again_after_a_large_commit()
    {
        Relapse();
        Assert.True(_full.HasRoomAfter(1_000));

        _full.OnRefused(1_000);
        _time.Advance(FullStorage.FirstWait);
        Assert.True(_full.HasRoomAfter(1));
    }

    [Fact]
    public void Wait_is_short_again_after_a_long_time_without_a_refusal()
    {
        Relapse();
        _time.Advance(FullStorage.FirstWait);
        Assert.True(_full.HasRoomAfter(1));
        _time.Advance(FullStorage.LongestWait);

        _full.OnRefused(1_000);
        _time.Advance(FullStorage.FirstWait);
        Assert.True(_full.HasRoomAfter(1));
    }

    void Relapse()
    {
        _full.OnRefused(1_000);
        _time.Advance(FullStorage.FirstWait);
        Assert.True(_full.HasRoomAfter(1));
        _full.OnRefused(1_000);
        _time.Advance(FullStorage.FirstWait);
        Assert.False(_full.HasRoomAfter(1));
    }
}
