namespace Datacake.Tests;

/// <summary>Helper methods that wait for conditions that no task reports. The time limit is so long that only a condition that never becomes true exceeds it.</summary>
static class Eventually
{
    public static readonly TimeSpan Deadline = TimeSpan.FromMinutes(1);

    /// <param name="condition">The condition to wait for.</param>
    /// <param name="what">The end of the sentence "Timed out waiting until …".</param>
    public static Task WaitUntilAsync(Func<bool> condition, string what) => WaitUntilAsync(condition, () => what);

    /// <inheritdoc cref="WaitUntilAsync(Func{bool}, string)"/>
    public static Task WaitUntilAsync(Func<bool> condition, Func<string> what) => WaitUntilAsync(() => Task.FromResult(condition()), what);

    /// <inheritdoc cref="WaitUntilAsync(Func{bool}, string)"/>
    public static Task WaitUntilAsync(Func<Task<bool>> condition, string what) => WaitUntilAsync(condition, () => what);

    /// <inheritdoc cref="WaitUntilAsync(Func{bool}, string)"/>
    public static async Task WaitUntilAsync(Func<Task<bool>> condition, Func<string> what)
    {
        long start = TimeProvider.System.GetTimestamp();
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (!await condition())
        {
            if (TimeProvider.System.GetElapsedTime(start) > Deadline)
                Assert.Fail($"Timed out after {Deadline} waiting until {what()}.");
            await poll.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        }
    }
}
