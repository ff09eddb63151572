namespace Datacake.Node.Tests;

/// <summary>
/// A clock that stands still until it is moved. It makes no timers: what is simulated here is told of time, and does not wait for it.
/// </summary>
sealed class VirtualTime : TimeProvider
{
    DateTimeOffset _now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => _now;

    public override long GetTimestamp() => _now.Ticks;

    public void Advance(TimeSpan time) => _now += time;
}
