namespace Datacake.Tests;

/// <summary>Waits for what becomes so by itself and no task tells of, so long that only what never comes takes longer.</summary>
static class Eventually
{
    public static readonly TimeSpan Deadline = TimeSpan.FromMinutes(1);

    /// <param name="condition">What is waited for.</param>
    /// <param name="what">The end of the sentence: in time it did not happen that.</param>
    public static Task WaitUntilAsync(Func<bool> condition, string what) => WaitUntilAsync(condition, () => what);

    /// <inheritdoc cref="WaitUntilAsync(Func{bool}, string)"/>
    public static Task WaitUntilAsync(Func<bool> condition, Func<string> what) => WaitUntilAsync(() => Task.FromResult(condition()), what);

    /// <inheritdoc cref="WaitUntilAsync(Func{bool}, string)"/>
    public static Task WaitUntilAsync(Func<Task<bool>> condition, string what) => WaitUntilAsync(condition, () => what);

    static async Task WaitUntilAsync(Func<Task<bool>> condition, Func<string> what)
    {
        long start = TimeProvider.System.GetTimestamp();
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (!await condition())
        {
            if (TimeProvider.System.GetElapsedTime(start) > Deadline)
                Assert.Fail($"Within {Deadline} it did not happen that {what()}.");
            await poll.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        }
    }
}
