namespace Datacake.Crdt.Tests;

/// <summary>A wall clock that a test sets.</summary>
sealed class ManualTimeProvider(DateTimeOffset now) : TimeProvider
{
    public DateTimeOffset Now { get; set; } = now;

    public override DateTimeOffset GetUtcNow() => Now;
}
