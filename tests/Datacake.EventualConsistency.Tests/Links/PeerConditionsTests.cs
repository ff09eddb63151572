using Datacake.EventualConsistency.Membership;

namespace Datacake.EventualConsistency.Tests.Links;

/// <summary>The log messages about peers without a session.</summary>
public sealed class PeerConditionsTests : IDisposable
{
    static readonly SessionOutcome Unreachable = new(false, "connection refused");

    readonly CollectingLog _log = new();
    readonly ManualClock _clock = new();
    readonly PeerConditions _conditions;

    public PeerConditionsTests() => _conditions = new PeerConditions(_clock, peer => $"host-{peer}:7001", _log);

    [Fact]
    public void Peer_that_stays_down_is_logged_once_then_rarely_with_a_count_and_again_when_it_is_back()
    {
        for (int i = 0; i < 1_000; i++)
            _conditions.OnFailed(2, Unreachable);
        Assert.Equal(1, _log.Count("The session with node 2 at host-2:7001 could not be opened"));
        Assert.Single(_log.Messages);

        _clock.Now += TimeSpan.FromMinutes(11);
        _conditions.OnFailed(2, Unreachable);
        Assert.Equal(1, _log.Count("after 1001 attempts"));
        _conditions.OnOpened(2);
        Assert.Equal(1, _log.Count("is open after 1001 failed attempts"));
        Assert.Equal(3, _log.Messages.Count);
        Assert.Null(_conditions.ReasonOf(2));
    }

    [Fact]
    public void Peer_that_is_down_for_a_moment_is_not_logged()
    {
        for (int i = 0; i < 3; i++)
            _conditions.OnFailed(2, Unreachable);
        Assert.Empty(_log.Messages);
        Assert.Equal("connection refused", _conditions.ReasonOf(2));
    }

    [Fact]
    public void Refusal_is_logged_at_once_and_again_only_when_its_reason_changes()
    {
        for (int i = 0; i < 100; i++)
            _conditions.OnFailed(2, new SessionOutcome(false, "it refuses the session: the clocks differ", IsLasting: true));
        _conditions.OnFailed(2, new SessionOutcome(false, "it refuses the session: the store was retired", IsLasting: true));
        Assert.Equal(2, _log.Messages.Count);
    }

    [Fact]
    public void Quiet_refusal_is_neither_logged_nor_reported_as_a_reason()
    {
        _conditions.OnFailed(2, new SessionOutcome(false, "a session is open", IsQuiet: true));
        _conditions.OnEnded(2, new SessionOutcome(true, "another session replaces it", IsQuiet: true));
        Assert.Empty(_log.Messages);
        Assert.Null(_conditions.ReasonOf(2));
    }

    public void Dispose() => _log.Dispose();

    sealed class ManualClock : TimeProvider
    {
        public TimeSpan Now { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;
    }
}
