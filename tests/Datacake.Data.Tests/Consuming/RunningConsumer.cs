using System.Threading.Channels;
using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Data.Tests.Consuming;

/// <summary>A consumer of parcels that runs until it is disposed of, and keeps the batches that it has processed.</summary>
sealed class RunningConsumer : IAsyncDisposable
{
    public const string Name = "reporting";

    readonly CancellationTokenSource _ending = new();
    readonly Channel<ConsumedBatch<Parcel>> _batches = Channel.CreateUnbounded<ConsumedBatch<Parcel>>();
    readonly Task _running;

    public RunningConsumer(DatacakeNode node, Func<ConsumedBatch<Parcel>, CancellationToken, Task>? before = null, ConsumerOptions? options = null) =>
        _running = RunAsync(node, before, options ?? Options);

    /// <summary>Gets options that move the consumer and repeat failed batches soon.</summary>
    public static ConsumerOptions Options => new() { LeaseDuration = TimeSpan.FromSeconds(1), RetryDelay = TimeSpan.FromMilliseconds(10), MaxRetryDelay = TimeSpan.FromMilliseconds(50) };

    /// <summary>Gets the latest version of each parcel, by what was delivered since the last reset.</summary>
    public Dictionary<DocumentKey, int> Shown { get; } = [];

    /// <summary>Returns the next batch that was processed.</summary>
    public async Task<ConsumedBatch<Parcel>> NextAsync() =>
        await _batches.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(Eventually.Deadline, TestContext.Current.CancellationToken);

    /// <summary>Applies batches until the shown versions are as expected.</summary>
    public async Task ApplyUntilAsync(Dictionary<DocumentKey, int> expected)
    {
        while (!Shown.OrderBy(static shown => shown.Key).SequenceEqual(expected.OrderBy(static shown => shown.Key)))
            Apply(await NextAsync());
    }

    public void Apply(ConsumedBatch<Parcel> batch)
    {
        if (batch.IsReset)
            Shown.Clear();
        foreach (var change in batch.Changes)
        {
            if (change.After is null)
            {
                Shown.Remove(change.Key);
                continue;
            }
            Assert.InRange(change.After.Version, Shown.GetValueOrDefault(change.Key), int.MaxValue);
            Shown[change.Key] = change.After.Version;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _ending.Dispose();
    }

    async Task RunAsync(DatacakeNode node, Func<ConsumedBatch<Parcel>, CancellationToken, Task>? before, ConsumerOptions options)
    {
        await using var db = new ParcelContext(node);
        await db.Parcels.ConsumeAsync(
            Name,
            async (batch, token) =>
            {
                await (before?.Invoke(batch, token) ?? Task.CompletedTask);
                _batches.Writer.TryWrite(batch);
            },
            options,
            _ending.Token);
    }
}
