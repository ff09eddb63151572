using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Datacake.Benchmarks.Caching;
using Datacake.Tests;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Datacake.Benchmarks.SignalR;

/// <summary>Three server processes, and a thousand clients in this process that are connected with them in turn. Checks that each message reaches each of its clients once.</summary>
sealed class SignalRCluster : IAsyncDisposable
{
    public const int Servers = 3, Clients = 1_000, GroupSize = 10, Groups = Clients / GroupSize, BurstSize = 100;

    const string Text = "the text of a message, which is as long as a sentence";

    static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    readonly ReservedAddresses _addresses = new();
    readonly List<Process> _processes = [];
    readonly List<HubConnection> _clients = [];
    readonly ConcurrentDictionary<long, Message> _messages = new();
    RedisServer? _redis;
    long _lastMessage;
    string? _failure;

    SignalRCluster()
    {
    }

    /// <summary>A message on its way, with the clients that have not received it.</summary>
    sealed class Message(IEnumerable<int> clients)
    {
        readonly ConcurrentDictionary<int, bool> _missing = new(clients.Select(static client => KeyValuePair.Create(client, true)));
        readonly TaskCompletionSource _arrived = new(TaskCreationOptions.RunContinuationsAsynchronously);
        int _count;

        public Task Arrived => _arrived.Task;

        public int Missing => _missing.Count;

        /// <summary>Counts a delivery. Returns false if the client has the message already or should not get it.</summary>
        public bool OnArrived(int client, int expected)
        {
            if (!_missing.TryRemove(client, out _))
                return false;
            if (Interlocked.Increment(ref _count) == expected)
                _arrived.SetResult();
            return true;
        }

        public int Expected { get; init; }
    }

    public static Task<SignalRCluster> StartOnDatacakeAsync() => StartAsync(static cluster =>
    {
        string[] nodes = cluster._addresses.Next(Servers);
        return Task.FromResult<Func<string, int, string[]>>((url, server) => SignalRServer.OnDatacake(url, server, nodes));
    });

    public static Task<SignalRCluster> StartOnRedisAsync() => StartAsync(static async cluster =>
    {
        cluster._redis = await RedisServer.StartAsync();
        return (url, _) => SignalRServer.OnRedis(url, cluster._redis.Address);
    });

    public Task SendToUserAsync(int sender, long number)
    {
        // The receiver is a client of the next server.
        int user = (int)(((sender * 7L) + (number * 31) + 1) % Clients);
        return SendAsync(sender, [user], "ToUser", NameOf(user));
    }

    public Task SendToGroupAsync(int sender, long number)
    {
        int group = (int)(((sender * 7L) + number) % Groups);
        return SendAsync(sender, Enumerable.Range(group * GroupSize, GroupSize), "ToGroup", NameOf(group));
    }

    /// <summary>Lets a server send messages to a client of another one, and waits for all.</summary>
    public async Task SendBurstAsync(int sender, long number)
    {
        int user = ((int)(((sender * 7L) + (number * 31)) % (Clients / Servers)) * Servers) + ((sender + 1) % Servers);
        long first = Interlocked.Add(ref _lastMessage, BurstSize) - BurstSize + 1;
        var messages = new Message[BurstSize];
        for (int i = 0; i < messages.Length; i++)
            _messages[first + i] = messages[i] = new Message([user]) { Expected = 1 };
        await _clients[sender].SendCoreAsync("Burst", [NameOf(user), first, BurstSize, Text]);
        for (int i = 0; i < messages.Length; i++)
            await WaitAsync(first + i, messages[i]);
    }

    public Task SendToAllAsync(int sender) => SendAsync(sender, Enumerable.Range(0, Clients), "ToAll");

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_clients.Select(static client => client.DisposeAsync().AsTask()));
        foreach (var process in _processes)
        {
            process.StandardInput.Close();
            using var limit = new CancellationTokenSource(Timeout);
            try
            {
                await process.WaitForExitAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                process.Kill();
                await process.WaitForExitAsync();
            }
            process.Dispose();
        }
        if (_redis is not null)
            await _redis.DisposeAsync();
        _addresses.Dispose();
    }

    static async Task<SignalRCluster> StartAsync(Func<SignalRCluster, Task<Func<string, int, string[]>>> prepare)
    {
        var cluster = new SignalRCluster();
        try
        {
            var argumentsOf = await prepare(cluster);
            string[] urls = [.. cluster._addresses.Next(Servers).Select(static address => $"http://{address}")];
            for (int server = 0; server < Servers; server++)
                cluster._processes.Add(StartProcess(argumentsOf(urls[server], server)));
            foreach (var process in cluster._processes)
            {
                if (await process.StandardOutput.ReadLineAsync() != SignalRServer.Ready)
                {
                    process.StandardInput.Close();
                    throw new InvalidOperationException($"A server with SignalR did not start: {await process.StandardError.ReadToEndAsync()}");
                }
                process.BeginErrorReadLine();
            }
            foreach (int[] chunk in Enumerable.Range(0, Clients).Chunk(50))
                cluster._clients.AddRange(await Task.WhenAll(chunk.Select(client => cluster.ConnectAsync(urls[client % Servers], client))));
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    static Process StartProcess(string[] arguments)
    {
        string program = Environment.ProcessPath!;
        bool isHost = Path.GetFileNameWithoutExtension(program) == "dotnet";
        var start = new ProcessStartInfo(program, isHost ? [typeof(SignalRCluster).Assembly.Location, .. arguments] : arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        return Process.Start(start)!;
    }

    static string NameOf(int number) => number.ToString(CultureInfo.InvariantCulture);

    async Task<HubConnection> ConnectAsync(string url, int client)
    {
        var builder = new HubConnectionBuilder().WithUrl(
            $"{url}{BroadcastHub.Path}?{BroadcastHub.UserKey}={client}&{BroadcastHub.GroupKey}={client / GroupSize}",
            static options => (options.Transports, options.SkipNegotiation) = (HttpTransportType.WebSockets, true));
        builder.Services.AddLogging(static logging => logging.ClearProviders());
        var connection = builder.Build();
        connection.On<long, string>(BroadcastHub.Receive, (message, _) => OnReceived(client, message));
        await connection.StartAsync();
        await connection.InvokeAsync<bool>("IsReady");
        return connection;
    }

    void OnReceived(int client, long number)
    {
        if (!_messages.TryGetValue(number, out var message) || !message.OnArrived(client, message.Expected))
            _failure = $"Client {client} has received message {number} again, or it was not for it.";
    }

    async Task SendAsync(int sender, IEnumerable<int> receivers, string method, params object[] target)
    {
        int[] expected = [.. receivers];
        long number = Interlocked.Increment(ref _lastMessage);
        var message = new Message(expected) { Expected = expected.Length };
        _messages[number] = message;
        await _clients[sender].SendCoreAsync(method, [.. target, number, Text]);
        await WaitAsync(number, message);
    }

    async Task WaitAsync(long number, Message message)
    {
        try
        {
            await message.Arrived.WaitAsync(Timeout);
        }
        catch (TimeoutException)
        {
            throw new InvalidDataException($"Message {number} has not reached {message.Missing} of {message.Expected} clients.");
        }
        // Late duplicates find that the message is gone.
        _messages.TryRemove(number, out _);
        if (_failure is { } failure)
            throw new InvalidDataException(failure);
    }
}
