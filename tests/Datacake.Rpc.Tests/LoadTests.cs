using System.Diagnostics;
using System.Globalization;
using Datacake.Rpc.Framing;
using Datacake.Rpc.Tests.Fixtures;

namespace Datacake.Rpc.Tests;

/// <summary>
/// Many clients, of which a tenth never finishes the handshake and a tenth calls and never reads. By hand, DATACAKE_LOAD_CONNECTIONS says
/// how many there are in all, and DATACAKE_LOAD_CALLS how many calls each of the others makes in a round; the output has the rates. Runs
/// alone, since it measures the memory of the process.
/// </summary>
[Collection(nameof(FuzzTests))]
public sealed class LoadTests(ITestOutputHelper output)
{
    const int Rounds = 3;
    const int RequestsUnread = 512;         // their replies are more than the buffers of a connection take

    static readonly byte[] Payload = new byte[100];
    static readonly byte[] Request = RawClient.Frame(FrameType.Request, 0, 0, Route.Encode("echo", "echo"), new byte[16 * 1024]);

    static int Connections { get; } = Setting("DATACAKE_LOAD_CONNECTIONS", 40);

    static int Calls { get; } = Setting("DATACAKE_LOAD_CALLS", 50);

    [Fact]
    public async Task Clients_that_do_not_finish_their_handshake_or_do_not_read_leave_the_others_served()
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
            await nuisances.AreInTheWayAsync();
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

    /// <summary>Lets every channel make so many calls, one after the other, and returns how long that took.</summary>
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

    /// <summary>Clients in the way. Whoever is cut off comes again.</summary>
    sealed class Nuisances : IAsyncDisposable
    {
        readonly RpcServer _server;
        readonly CancellationTokenSource _stop = new();
        readonly Task[] _tasks;
        int _there;

        public Nuisances(RpcServer server, int countOfEach)
        {
            _server = server;
            _tasks =
            [
                .. Enumerable.Range(0, countOfEach).Select(_ => RepeatAsync(StallAsync)),
                .. Enumerable.Range(0, countOfEach).Select(_ => RepeatAsync(CallAndNotReadAsync)),
            ];
        }

        /// <summary>Waits until each of them has done what it does.</summary>
        public Task AreInTheWayAsync() => Expect.Until(() => Volatile.Read(ref _there) >= _tasks.Length);

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
                    // By the server, or since it is enough.
                }
            }
        }

        async Task StallAsync()
        {
            await using var client = await RawClient.ConnectAsync(_server);
            await client.SendAsync("DCR"u8.ToArray());
            Interlocked.Increment(ref _there);
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

            Interlocked.Increment(ref _there);
            await Task.Delay(Timeout.Infinite, _stop.Token);
        }
    }
}
