namespace Datacake.Node.Tests;

/// <summary>
/// A clock that stands still until a test moves it. It creates no timers because simulated code is told the time and does not wait for it.
/// </summary>
sealed class VirtualTime : TimeProvider
{
    DateTimeOffset _now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => _now;

    public override long GetTimestamp() => _now.Ticks;

    public void Advance(TimeSpan time) => _now += time;
}
