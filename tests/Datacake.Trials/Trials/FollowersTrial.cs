using System.Buffers.Binary;
using System.Diagnostics;
using Datacake.EventualConsistency;
using Datacake.Node;
using Datacake.Storage;
using Datacake.Trials.Driving;

namespace Datacake.Trials.Trials;

/// <summary>
/// A trial of one member with many followers in this process: the rate of saves with and without them, and how far a follower is behind at a given rate.
/// </summary>
static class FollowersTrial
{
    const int Documents = 10_000, Length = 100, Tasks = 32;
    static readonly TimeSpan Patience = TimeSpan.FromMinutes(5), Measured = TimeSpan.FromSeconds(10);

    public static async Task RunAsync(TrialRun run)
    {
        int followers = run.Number("followers", 300), rate = run.Number("rate", 5_000);
        await using var member = await DatacakeNode.StartAsync(static options => options.WithNodeId(1).ListenOn("127.0.0.1:0").UseMemory(), run.Cancellation);
        var source = await member.OpenStoreAsync(run.Cancellation);
        await source.Keyspace("cakes").PutManyAsync(
            Enumerable.Range(0, Documents).Select(static key => KeyValuePair.Create((DocumentKey)key, (ReadOnlyMemory<byte>)new byte[Length])), Consistency.None, run.Cancellation);

        await RateAsync(source, perSecond: null, run.Cancellation);                 // the first run compiles
        double alone = await RateAsync(source, perSecond: null, run.Cancellation);
        long memory = GC.GetTotalMemory(forceFullCollection: true), started = Stopwatch.GetTimestamp();
        var nodes = new List<DatacakeNode>();
        try
        {
            for (int i = 0; i < followers; i++)
            {
                nodes.Add(await DatacakeNode.StartAsync(
                    options => options.AsFollower(member.Address).UseMemory().WithStore(static store => store.JoinTimeout = Patience), run.Cancellation));
            }
            var stores = await Task.WhenAll(nodes.Select(node => node.OpenStoreAsync(run.Cancellation).AsTask()));
            await Task.WhenAll(stores.Select(store => store.Joined.WaitAsync(Patience, run.Cancellation)));
            run.Verdict.Say(FormattableString.Invariant(
                $"{followers} followers have {Documents:N0} documents each after {Stopwatch.GetElapsedTime(started).TotalSeconds:F1} s, with {(GC.GetTotalMemory(forceFullCollection: true) - memory) / 1e6 / followers:F1} MB of managed memory each"));

            double beside = await RateAsync(source, perSecond: null, run.Cancellation);
            run.Verdict.Require(beside >= 0.8 * alone, FormattableString.Invariant($"saves keep 80 % of their rate with {followers} followers ({alone:N0} to {beside:N0} per second, {beside / alone:P0})"));
            await CatchUpAsync(source, stores, run.Cancellation);

            var saving = RateAsync(source, rate, run.Cancellation);
            var lags = new List<TimeSpan>();
            for (int i = 0; !saving.IsCompleted; i++)
            {
                lags.Add(await LagAsync(source, stores[i % stores.Length], run.Cancellation));
                await Task.WhenAny(saving, Task.Delay(TimeSpan.FromMilliseconds(20), run.Cancellation));
            }
            lags.Sort();
            run.Verdict.Require(
                lags[lags.Count * 99 / 100] < TimeSpan.FromSeconds(1),
                FormattableString.Invariant($"a follower is at most 1 s behind under {rate:N0} saves a second (reached {await saving:N0}; median {lags[lags.Count / 2].TotalMilliseconds:F0} ms, 99th percentile {lags[lags.Count * 99 / 100].TotalMilliseconds:F0} ms)"));
            await CatchUpAsync(source, stores, run.Cancellation);
            var expected = await source.Keyspace("cakes").GetStatisticsAsync(run.Cancellation);
            int differing = 0;
            foreach (var store in stores)
                differing += await store.Keyspace("cakes").GetStatisticsAsync(run.Cancellation) == expected ? 0 : 1;
            run.Verdict.Require(differing == 0, FormattableString.Invariant($"all followers show what the member shows ({differing} differ)"));
        }
        finally
        {
            await Task.WhenAll(nodes.Select(static node => node.DisposeAsync().AsTask()));
        }
    }

    /// <summary>Waits until all followers have what the member has.</summary>
    static async Task CatchUpAsync(ReplicatedStore source, ReplicatedStore[] followers, CancellationToken cancellationToken)
    {
        var last = await source.Keyspace("cakes").PutAsync(-1, new byte[1], Consistency.None, cancellationToken);
        long start = Stopwatch.GetTimestamp();
        await Task.WhenAll(followers.Select(follower => follower.WaitForAsync(last.Token, cancellationToken).AsTask().WaitAsync(Patience, cancellationToken)));
        Console.WriteLine(FormattableString.Invariant($"  all followers have caught up after {Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s"));
    }

    /// <summary>Returns how long a follower takes to have a save that has just been made.</summary>
    static async Task<TimeSpan> LagAsync(ReplicatedStore source, ReplicatedStore follower, CancellationToken cancellationToken)
    {
        var saved = await source.Keyspace("cakes").PutAsync(-1, new byte[1], Consistency.None, cancellationToken);
        long start = Stopwatch.GetTimestamp();
        await follower.WaitForAsync(saved.Token, cancellationToken).AsTask().WaitAsync(Patience, cancellationToken);
        return Stopwatch.GetElapsedTime(start);
    }

    /// <summary>Saves for a while, as fast as possible or at a rate, and returns the number of saves per second.</summary>
    static async Task<double> RateAsync(ReplicatedStore source, int? perSecond, CancellationToken cancellationToken)
    {
        long saves = 0, start = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, Tasks).Select(task => Task.Run(
            async () =>
            {
                byte[] value = new byte[Length];
                for (int i = 0; Stopwatch.GetElapsedTime(start) < Measured; i++)
                {
                    long made = Interlocked.Increment(ref saves);
                    if (perSecond is { } rate && made > Stopwatch.GetElapsedTime(start).TotalSeconds * rate)
                        await Task.Delay(TimeSpan.FromMilliseconds(5), cancellationToken);
                    BinaryPrimitives.WriteInt64LittleEndian(value, made);
                    await source.Keyspace("cakes").PutAsync(((i * Tasks) + task) % Documents, value, Consistency.None, cancellationToken);
                }
            },
            cancellationToken)));
        return saves / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
