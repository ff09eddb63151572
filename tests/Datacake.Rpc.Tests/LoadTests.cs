using System.Diagnostics;
using System.Globalization;
using Datacake.Rpc.Framing;
using Datacake.Rpc.Tests.Fixtures;

namespace Datacake.Rpc.Tests;

/// <summary>
/// Many clients, a tenth of which never finish the handshake and a tenth of which call but never read. DATACAKE_LOAD_CONNECTIONS sets the total
/// number of clients, and DATACAKE_LOAD_CALLS the number of calls that each of the other clients makes per round. The output shows the rates.
/// The test does not run in parallel with others because it measures the memory of the process.
/// </summary>
[Collection(nameof(FuzzTests))]
public sealed class LoadTests(ITestOutputHelper output)
{
    const int Rounds = 3;
    const int RequestsUnread = 512;         // Their replies exceed the buffers of a connection.

    static readonly byte[] Payload = new byte[100];
    static readonly byte[] Request = RawClient.Frame(FrameType.Request, 0, 0, Route.Encode("echo", "echo"), new byte[16 * 1024]);

    static int Connections { get; } = Setting("DATACAKE_LOAD_CONNECTIONS", 40);

    static int Calls { get; } = Setting("DATACAKE_LOAD_CALLS", 50);

    [Fact]
    public async Task Other_clients_are_served_despite_clients_that_stall_or_do_not_read()
    {
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var limits = new RpcLimits { TotalBufferedBytes = 128 * 1024 * 1024, HandshakesPerHost = 1_024 };
        await using var server = await RpcServer.StartAsync("127.0.0.1:0", new RpcServerOptions { Limits = limits });
        server.AddService(TestService.Echo);
        var channels = Enumerable.Range(0, Connections * 8 / 10).Select(_ => new RpcChannel(server.Address)).ToArray();
        await CallAsync(channels, 10);

        var (calm, disturbed, memory) = (TimeSpan.Zero, TimeSpan.Zero, 0L);
        for (var round = 0; round < Rounds; round++)
        {
            calm += await CallAsync(channels, Calls);
            await using var nuisances = new Nuisances(server, Connections / 10);
            await nuisances.WaitUntilActiveAsync();
            disturbed += await CallAsync(channels, Calls);
            memory = Math.Max(memory, GC.GetTotalMemory(forceFullCollection: true) - before);
        }

        var count = (double)Rounds * channels.Length * Calls;
        output.WriteLine($"{channels.Length} clients undisturbed: {count / calm.TotalSeconds:N0} calls/s; beside {Connections / 10} that "
            + $"do not finish the handshake and as many that do not read: {count / disturbed.TotalSeconds:N0} calls/s ({calm / disturbed:P0}); "
            + $"{memory / 1024 / 1024:N0} MiB at most");
        Assert.InRange(memory, long.MinValue, limits.TotalBufferedBytes + (1024 * 1024L * Connections));
        await Task.WhenAll(channels.Select(channel => channel.DisposeAsync().AsTask()));
    }

    /// <summary>Makes the given number of calls on every channel, one after the other, and returns the elapsed time.</summary>
    static async Task<TimeSpan> CallAsync(RpcChannel[] channels, int calls)
    {
        var patient = new RpcCallOptions { Timeout = TimeSpan.FromMinutes(1), WaitForConnection = true };
        var begin = Stopwatch.GetTimestamp();
        await Task.WhenAll(channels.Select(channel => Task.Run(async () =>
        {
            for (var i = 0; i < calls; i++)
                (await channel.CallAsync("echo", "echo", Payload, patient)).Dispose();
        })));
        return Stopwatch.GetElapsedTime(begin);
    }

    static int Setting(string name, int otherwise)
        => Environment.GetEnvironmentVariable(name) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;

    /// <summary>Misbehaving clients. A client that is cut off connects again.</summary>
    sealed class Nuisances : IAsyncDisposable
    {
        readonly RpcServer _server;
        readonly CancellationTokenSource _stop = new();
        readonly Task[] _tasks;
        int _active;

        public Nuisances(RpcServer server, int countOfEach)
        {
            _server = server;
            _tasks =
            [
                .. Enumerable.Range(0, countOfEach).Select(_ => RepeatAsync(StallAsync)),
                .. Enumerable.Range(0, countOfEach).Select(_ => RepeatAsync(CallAndNotReadAsync)),
            ];
        }

        /// <summary>Waits until each of the clients has misbehaved at least once.</summary>
        public Task WaitUntilActiveAsync() => Expect.Until(() => Volatile.Read(ref _active) >= _tasks.Length);

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await Task.WhenAll(_tasks);
            _stop.Dispose();
        }

        async Task RepeatAsync(Func<Task> nuisance)
        {
            await Task.Yield();
            while (!_stop.IsCancellationRequested)
            {
                try
                {
                    await nuisance();
                }
                catch (Exception cut) when (cut is IOException or RpcException or OperationCanceledException)
                {
                    // The server has cut the client off, or the test is over.
                }
            }
        }

        async Task StallAsync()
        {
            await using var client = await RawClient.ConnectAsync(_server);
            await client.SendAsync("DCR"u8.ToArray());
            Interlocked.Increment(ref _active);
            await client.Stream.ReadExactlyAsync(new byte[1], _stop.Token);
        }

        async Task CallAndNotReadAsync()
        {
            await using var client = await RawClient.GreetAsync(_server);
            var frame = Request.ToArray();
            for (uint id = 1; id <= RequestsUnread; id++)
            {
                BitConverter.TryWriteBytes(frame.AsSpan(8), id);
                await client.Stream.WriteAsync(frame, _stop.Token);
            }

            Interlocked.Increment(ref _active);
            await Task.Delay(Timeout.Infinite, _stop.Token);
        }
    }
}
