using Datacake.EventualConsistency.Joining;

namespace Datacake.EventualConsistency.Tests.Joining;

/// <summary>The log messages of a store that waits to join.</summary>
public sealed class JoinReminderTests
{
    readonly ManualClock _clock = new();
    readonly JoinReminder _reminder;
    readonly List<double> _logged = [];

    public JoinReminderTests() => _reminder = new JoinReminder(_clock);

    [Fact]
    public void Store_that_waits_for_a_day_is_logged_at_once_and_then_less_and_less_often()
    {
        Wait("no seed answers", TimeSpan.FromDays(1));
        Assert.Equal([0, 60, 180, 420, 900, 1_860, 3_780, 7_380, 10_980], _logged.Take(9));
        Assert.InRange(_logged.Count, 28, 32);
    }

    [Fact]
    public void New_reason_is_logged_at_once_but_alternating_reasons_are_not_new()
    {
        Wait("no seed answers", TimeSpan.FromSeconds(30));
        for (int i = 0; i < 3; i++)
        {
            Wait("it is refused", TimeSpan.FromSeconds(10));
            Wait("no seed answers", TimeSpan.FromSeconds(10));
        }
        Assert.Equal([0, 30], _logged);
    }

    [Fact]
    public void Constantly_changing_reasons_do_not_fill_the_log()
    {
        for (int i = 0; i < 360; i++)
            Wait($"reason {i}", TimeSpan.FromSeconds(10));
        Assert.InRange(_logged.Count, 8, 14);
    }

    void Wait(string reason, TimeSpan time)
    {
        for (var end = _clock.Now + time; _clock.Now < end; _clock.Now += TimeSpan.FromSeconds(10))
            if (_reminder.IsDue(reason, out var waited))
                _logged.Add(waited.TotalSeconds);
    }

    sealed class ManualClock : TimeProvider
    {
        public TimeSpan Now { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;
    }
}
