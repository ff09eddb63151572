using Datacake.EventualConsistency.Links;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Tests.Links;

/// <summary>Long reads that let short work go first.</summary>
public sealed class YieldingSnapshotTests
{
    [Fact]
    public async Task Long_read_yields_its_thread_repeatedly()
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

    /// <summary>Starts a read. Work that the read queues to the thread pool runs when the caller invokes the returned action.</summary>
    static (ValueTask Reading, Action? Continue) Start(Func<ValueTask> read)
    {
        var before = SynchronizationContext.Current;
        var paused = new Paused();
        SynchronizationContext.SetSynchronizationContext(paused);
        var reading = read();
        SynchronizationContext.SetSynchronizationContext(before);
        return (reading, paused.Continue);
    }

    sealed class Paused : SynchronizationContext
    {
        public Action? Continue { get; private set; }

        public override void Post(SendOrPostCallback d, object? state) => Continue = () => d(state);
    }
}
