using Datacake.EventualConsistency.Links;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Tests.Links;

/// <summary>Long reading that lets short work go first.</summary>
public sealed class YieldingSnapshotTests
{
    [Fact]
    public async Task Reader_of_much_lets_its_thread_go_again_and_again()
    {
        const int Reads = 100, MaxReadsInOneGo = 10;
        await using var storage = new MemoryStorage();
        using var snapshot = new YieldingSnapshot(await storage.OpenSnapshotAsync(TestContext.Current.CancellationToken));
        using var page = new EntryPage();
        int pauses = 0;
        for (int i = 0; i < Reads; i++)
        {
            var (reading, goOn) = Start(() => snapshot.GetManyAsync([new byte[] { 1 }], page, TestContext.Current.CancellationToken));
            if (!reading.IsCompleted)
                pauses++;
            goOn?.Invoke();
            await reading;
        }
        Assert.InRange(pauses, Reads / MaxReadsInOneGo, Reads);
    }

    /// <summary>Starts a reading; what it leaves to the pool is done when the caller says so.</summary>
    static (ValueTask Reading, Action? GoOn) Start(Func<ValueTask> read)
    {
        var before = SynchronizationContext.Current;
        var paused = new Paused();
        SynchronizationContext.SetSynchronizationContext(paused);
        var reading = read();
        SynchronizationContext.SetSynchronizationContext(before);
        return (reading, paused.GoOn);
    }

    sealed class Paused : SynchronizationContext
    {
        public Action? GoOn { get; private set; }

        public override void Post(SendOrPostCallback d, object? state) => GoOn = () => d(state);
    }
}
