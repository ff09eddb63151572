using System.Collections.Concurrent;
using System.Diagnostics;
using Datacake.Rpc;

namespace Datacake.Node.Tests;

/// <summary>The dials of a member that is gone.</summary>
public sealed class DeadMemberTests
{
    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Dead_member_is_dialed_at_growing_intervals_even_if_gossip_is_fast()
    {
        using var reserved = new ReservedAddresses();
        string[] addresses = reserved.Next(2);
        var transport = new TimedTransport(addresses[1]);
        await using var survivor = await StartAsync(1, addresses[0], addresses, transport);
        await using (var failing = await StartAsync(2, addresses[1], addresses, TcpTransport.Default))
        {
            await Eventually.WaitUntilAsync(() => survivor.Members.Any(static member => member is { NodeId: 2, IsUp: true }), "node 1 sees node 2");
            await failing.StopAbruptlyAsync();
        }

        await Eventually.WaitUntilAsync(() => transport.Failures.Count >= 9, "node 1 has dialed node 2 nine times in vain");

        // The pauses double from 100 ms to a second, and each is shortened by up to a half.
        long[] failures = [.. transport.Failures];
        Assert.All(Enumerable.Range(5, 3), dial => Assert.True(Stopwatch.GetElapsedTime(failures[dial], failures[dial + 1]) > TimeSpan.FromMilliseconds(400)));
    }

    static ValueTask<DatacakeNode> StartAsync(int id, string address, string[] seeds, ITransport transport) => DatacakeNode.StartAsync(
        options => options.WithNodeId(id).ListenOn(address).WithSeeds(seeds).WithTransport(transport).WithGossip(static gossip => gossip.UseLocal()), Canceled);

    /// <summary>A transport that notes when it failed to connect to an address.</summary>
    sealed class TimedTransport(string observed) : ITransport
    {
        public ConcurrentQueue<long> Failures { get; } = [];

        public ValueTask<ITransportListener> ListenAsync(string address, CancellationToken cancellationToken = default) => TcpTransport.Default.ListenAsync(address, cancellationToken);

        public async ValueTask<TransportConnection> ConnectAsync(string address, CancellationToken cancellationToken = default)
        {
            try
            {
                return await TcpTransport.Default.ConnectAsync(address, cancellationToken);
            }
            catch (RpcException) when (address == observed)
            {
                Failures.Enqueue(Stopwatch.GetTimestamp());
                throw;
            }
        }
    }
}
