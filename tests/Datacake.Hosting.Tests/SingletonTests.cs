using System.Collections.Concurrent;
using Datacake.EventualConsistency;
using Datacake.Node;
using Datacake.Storage;
using Datacake.Tests;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Datacake.Hosting.Tests;

public sealed class SingletonTests : IAsyncDisposable
{
    readonly Cluster _cluster = new();

    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task Service_runs_on_one_of_three_nodes_and_moves_at_once_when_its_host_stops()
    {
        // The lease would expire after a day, so only its release makes the service move.
        await _cluster.StartAsync(3, options => options.LeaseDuration = TimeSpan.FromDays(1));
        int first = await _cluster.WaitUntilRunningAsync(except: 0);
        await _cluster.Hosts[first].StopAsync(Canceled);
        int second = await _cluster.WaitUntilRunningAsync(except: first);
        Assert.NotEqual(first, second);
        Assert.Equal(1, _cluster.Jobs.MaxRunning);
        Assert.Equal(2, _cluster.Jobs.Tokens.Count);
        Assert.Equal(_cluster.Jobs.Tokens.Order(), _cluster.Jobs.Tokens);
    }

    [Fact]
    public async Task Service_moves_after_the_duration_of_its_lease_when_its_node_fails_and_is_stopped_there()
    {
        await _cluster.StartAsync(3, options => options.LeaseDuration = TimeSpan.FromSeconds(2));
        int first = await _cluster.WaitUntilRunningAsync(except: 0);
        await _cluster.Hosts[first].Services.GetRequiredService<DatacakeNode>().StopAbruptlyAsync();
        int second = await _cluster.WaitUntilRunningAsync(except: first);
        Assert.NotEqual(first, second);
        Assert.Equal(1, _cluster.Jobs.MaxRunning);
        Assert.True(_cluster.Logs[first].Contains($"Node {first} has stopped the singleton Job"));
    }

    [Fact]
    public async Task Service_that_fails_is_logged_and_started_again_in_the_same_term()
    {
        _cluster.Jobs.FailuresLeft = 2;
        await _cluster.StartAsync(1, options => options.RestartDelay = TimeSpan.FromMilliseconds(10));
        await _cluster.WaitUntilRunningAsync(except: 0);
        Assert.Equal(3, _cluster.Jobs.Tokens.Count);
        Assert.Single(_cluster.Jobs.Tokens.Distinct());
        Assert.True(_cluster.Logs[1].Contains("The singleton Job will be restarted in 0.01 s after failure 1 in a row."));
        Assert.True(_cluster.Logs[1].Contains("The singleton Job will be restarted in 0.02 s after failure 2 in a row."));
    }

    [Fact]
    public async Task Lease_that_cannot_be_requested_without_a_majority_is_logged_with_the_reason_and_without_a_stack_trace()
    {
        const string message = "The lease of the singleton Job could not be requested; will retry: ";
        await _cluster.StartAsync(2, static options => options.LeaseDuration = TimeSpan.FromMilliseconds(500));
        int first = await _cluster.WaitUntilRunningAsync(except: 0);
        var log = _cluster.Logs[3 - first];
        await _cluster.Hosts[first].Services.GetRequiredService<DatacakeNode>().StopAbruptlyAsync();

        await log.WaitUntilAsync(message);

        Assert.Matches(@"will retry: .*[^.]\.$", log.Messages.Single(static logged => logged.StartsWith(message, StringComparison.Ordinal)));
        Assert.DoesNotContain(log.Exceptions, static logged => logged.Message.StartsWith(message, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Service_that_completes_is_not_run_again_by_another_node()
    {
        _cluster.Jobs.Completes = true;
        await _cluster.StartAsync(3, options => options.LeaseName = "once");
        await Eventually.WaitUntilAsync(() => _cluster.Logs.Values.Any(log => log.Contains("The singleton Job has completed")), "the service has completed");
        Assert.Single(_cluster.Jobs.Tokens);
        foreach (var host in _cluster.Hosts.Values)
            Assert.Null(await host.Services.GetRequiredService<DatacakeNode>().Leases.TryAcquireAsync("once", TimeSpan.FromSeconds(1), Canceled));
    }

    [Fact]
    public async Task Service_that_has_completed_is_not_run_again_after_a_lost_lease()
    {
        const string completed = "The singleton Job has completed";
        _cluster.Jobs.Completes = true;
        await _cluster.StartAsync(2, static _ => { }, static (node, services) =>
        {
            if (node == 1)
                services.AddDatacakeSingleton<Job>(static options => options.LeaseDuration = TimeSpan.FromMilliseconds(500));
        });
        await _cluster.Logs[1].WaitUntilAsync(completed);
        await LoseTheLeaseAsync();
        await Eventually.WaitUntilAsync(() => _cluster.Logs[1].Count(completed) == 2, "the node holds the lease again");
        Assert.Single(_cluster.Jobs.Tokens);
    }

    [Fact]
    public async Task Service_that_returns_because_the_lease_was_lost_has_not_completed()
    {
        _cluster.Jobs.WatchesLease = true;
        await _cluster.StartAsync(2, static _ => { }, static (node, services) =>
        {
            if (node == 1)
                services.AddDatacakeSingleton<Job>(static options => options.LeaseDuration = TimeSpan.FromMilliseconds(500));
        });
        await Eventually.WaitUntilAsync(() => _cluster.Jobs.Running.Count == 1, "the service runs");

        await LoseTheLeaseAsync();
        await Eventually.WaitUntilAsync(() => _cluster.Jobs.Tokens.Count >= 2, "the service runs again");

        Assert.False(_cluster.Logs[1].Contains("has completed"));
    }

    [Fact]
    public async Task Host_that_stops_waits_for_the_service_and_disposes_it()
    {
        await _cluster.StartAsync(1, static _ => { });
        await _cluster.WaitUntilRunningAsync(except: 0);
        Assert.Equal(0, _cluster.Jobs.Disposed);
        await _cluster.Hosts[1].StopAsync(Canceled);
        Assert.Equal(1, _cluster.Jobs.Disposed);
        Assert.Empty(_cluster.Jobs.Running);
        Assert.False(_cluster.Logs[1].Contains("could not be released"));
    }

    [Fact]
    public async Task Service_that_is_no_background_service_runs_until_the_host_stops()
    {
        await _cluster.StartAsync(1, static _ => { }, static (_, services) => services.AddDatacakeSingleton<PlainService>());
        await Eventually.WaitUntilAsync(() => _cluster.Jobs.Plain == 1, "the service has started");
        await _cluster.Hosts[1].StopAsync(Canceled);
        Assert.Equal(0, _cluster.Jobs.Plain);
    }

    [Fact]
    public async Task Service_that_cannot_be_stopped_keeps_its_lease_when_its_host_stops()
    {
        _cluster.Jobs.StopFailure = new OperationCanceledException();
        await _cluster.StartAsync(3, static _ => { }, static (node, services) =>
        {
            if (node == 1)
                services.AddDatacakeSingleton<PlainService>(options => options.LeaseName = "plain");
        });
        await Eventually.WaitUntilAsync(() => _cluster.Jobs.Plain == 1, "the service has started");
        await _cluster.Hosts[1].StopAsync(Canceled);
        Assert.True(_cluster.Logs[1].Contains("The singleton PlainService could not be stopped and may still work; node 1 does not release its lease"));
        Assert.Null(await TryAcquireAsync("plain"));
    }

    [Fact]
    public async Task Service_that_could_not_be_started_and_not_be_stopped_is_started_again()
    {
        _cluster.Jobs.StopFailure = new InvalidOperationException("It was not started.");
        _cluster.Jobs.StartFailuresLeft = 1;
        await _cluster.StartAsync(1, static _ => { }, static (_, services) =>
            services.AddDatacakeSingleton<PlainService>(options => options.RestartDelay = TimeSpan.FromMilliseconds(10)));
        await Eventually.WaitUntilAsync(() => _cluster.Jobs.Plain == 1, "the service has started");
        Assert.True(_cluster.Logs[1].Contains("The stop of the singleton PlainService failed."));
    }

    [Fact]
    public async Task Background_service_whose_stop_is_canceled_ends_before_its_lease_is_released()
    {
        _cluster.Jobs.StopFailure = new OperationCanceledException();
        _cluster.Jobs.Ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await _cluster.StartAsync(3, static _ => { }, static (node, services) =>
        {
            if (node == 1)
                services.AddDatacakeSingleton<SlowJob>(options => options.LeaseName = "slow");
        });
        await Eventually.WaitUntilAsync(() => _cluster.Jobs.Plain == 1, "the service has started");
        var stopping = _cluster.Hosts[1].StopAsync(Canceled);
        await Eventually.WaitUntilAsync(() => _cluster.Logs[1].Contains("The stop of the singleton SlowJob failed."), "the stop has failed");
        Assert.False(stopping.IsCompleted);
        Assert.Null(await TryAcquireAsync("slow"));
        _cluster.Jobs.Ended.SetResult();
        await stopping;
        await using var lease = await TryAcquireAsync("slow");
        Assert.True(lease?.IsHeld);
    }

    [Fact]
    public void Singleton_without_a_node_is_refused_naming_the_missing_call()
    {
        var e = Assert.Throws<InvalidOperationException>(() => new ServiceCollection().AddDatacakeSingleton<Job>());
        Assert.Contains("Call services.AddDatacake(options => …) before AddDatacakeSingleton.", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Invalid_settings_are_refused_with_the_limits()
    {
        Assert.Contains("1 to 200 bytes", Refusal(static options => options.LeaseName = ""), StringComparison.Ordinal);
        Assert.Contains("1 to 200 bytes", Refusal(static options => options.LeaseName = new string('x', 201)), StringComparison.Ordinal);
        Assert.Contains("of which few are zero", Refusal(static options => options.LeaseName = new string('\0', 200)), StringComparison.Ordinal);
        Assert.Contains("from 100 ms to 24 hours", Refusal(static options => options.LeaseDuration = TimeSpan.Zero), StringComparison.Ordinal);
        Assert.Contains("from 100 ms to 24 hours", Refusal(static options => options.LeaseDuration = TimeSpan.FromHours(25)), StringComparison.Ordinal);
        Assert.Contains("Use positive times", Refusal(static options => options.RestartDelay = TimeSpan.Zero), StringComparison.Ordinal);
        Assert.Contains("Use positive times", Refusal(static options => options.MaxRestartDelay = TimeSpan.FromMilliseconds(1)), StringComparison.Ordinal);

        static string Refusal(Action<DatacakeSingletonOptions> configure) => Assert.Throws<ArgumentException>(
            () => new ServiceCollection().AddDatacake(static _ => { }).AddDatacakeSingleton<Job>(configure)).Message;
    }

    [Fact]
    public async Task Term_of_a_scope_that_belongs_to_no_singleton_is_refused_with_an_explanation()
    {
        await _cluster.StartAsync(1, static _ => { });
        await using var scope = _cluster.Hosts[1].Services.CreateAsyncScope();
        var term = scope.ServiceProvider.GetRequiredService<DatacakeSingletonTerm>();
        Assert.Contains("AddDatacakeSingleton", Assert.Throws<InvalidOperationException>(() => term.FencingToken).Message, StringComparison.Ordinal);
    }

    /// <summary>Tries to acquire a lease on node 2, also while a new sequencer is elected.</summary>
    async Task<Lease?> TryAcquireAsync(string name)
    {
        var node = _cluster.Hosts[2].Services.GetRequiredService<DatacakeNode>();
        while (true)
        {
            try
            {
                return await node.Leases.TryAcquireAsync(name, TimeSpan.FromSeconds(5), Canceled);
            }
            catch (NotEnoughNodesException)
            {
                await Task.Yield();
            }
        }
    }

    /// <summary>The runs of the services of all hosts.</summary>
    sealed class JobRuns
    {
        readonly Lock _lock = new();
        int _maxRunning;

        public ConcurrentDictionary<int, long> Running { get; } = [];

        public ConcurrentQueue<long> Tokens { get; } = [];

        public int MaxRunning => _maxRunning;

        public int FailuresLeft { get; set; }

        public bool Completes { get; set; }

        public bool WatchesLease { get; set; }

        public int Disposed { get; set; }

        public int Plain { get; set; }

        public int StartFailuresLeft { get; set; }

        public Exception? StopFailure { get; set; }

        public TaskCompletionSource? Ended { get; set; }

        public void Begin(int node, long token)
        {
            lock (_lock)
            {
                Running[node] = token;
                _maxRunning = Math.Max(_maxRunning, Running.Count);
                Tokens.Enqueue(token);
            }
        }
    }

    /// <summary>
    /// Stops node 2 of 2, so that node 1 cannot renew its lease, and retires it once the lease is lost. If node 1 is the sequencer, it goes on without the retired voter. If node 2 was, the
    /// serial transactions begin anew.
    /// </summary>
    async Task LoseTheLeaseAsync()
    {
        await _cluster.Hosts[2].Services.GetRequiredService<DatacakeNode>().StopAbruptlyAsync();
        await _cluster.Logs[1].WaitUntilAsync("The lease", "was lost");
        var store = await _cluster.Hosts[1].Services.GetRequiredService<DatacakeNode>().OpenStoreAsync(Canceled);
        await store.RetireAsync(2, Canceled);
        Exception? failure = null;
        await Eventually.WaitUntilAsync(
            async () => store.SerialStatus is { Sequencer: 1, VoterCount: 1 } || (failure = await Record.ExceptionAsync(() => store.RecoverSerialAsync(Canceled).AsTask())) is null,
            () => $"the serial transactions go on: {failure?.Message}");
    }

    sealed class Job(DatacakeNode node, DatacakeSingletonTerm term, JobRuns runs) : BackgroundService
    {
        public override void Dispose()
        {
            runs.Disposed++;
            base.Dispose();
        }

        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            runs.Begin(node.Id, term.FencingToken);
            try
            {
                if (runs.Completes)
                    return;
                if (runs.FailuresLeft-- > 0)
                    throw new InvalidOperationException("The mail server does not answer.");
                using var ending = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, runs.WatchesLease ? term.Lost : default);
                await Task.Delay(Timeout.InfiniteTimeSpan, ending.Token).ContinueWith(
                    _ => stoppingToken.ThrowIfCancellationRequested(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            }
            finally
            {
                runs.Running.TryRemove(node.Id, out _);
            }
        }
    }

    sealed class PlainService(JobRuns runs) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken)
        {
            if (runs.StartFailuresLeft-- > 0)
                throw new InvalidOperationException("The mail server does not answer.");
            runs.Plain++;
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken)
        {
            if (runs.StopFailure is { } failure)
                throw failure;
            runs.Plain--;
            return Task.CompletedTask;
        }
    }

    /// <summary>A service that works until the test says that it has ended, whatever it is told.</summary>
    sealed class SlowJob(JobRuns runs) : BackgroundService
    {
        public override Task StopAsync(CancellationToken cancellationToken) => throw runs.StopFailure!;

        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            runs.Plain++;
            await runs.Ended!.Task;
        }
    }

    /// <summary>Hosts with a node each, on loopback.</summary>
    sealed class Cluster : IAsyncDisposable
    {
        readonly ReservedAddresses _addresses = new();

        public JobRuns Jobs { get; } = new();

        public Dictionary<int, IHost> Hosts { get; } = [];

        public Dictionary<int, CollectingLog> Logs { get; } = [];

        public async Task StartAsync(int count, Action<DatacakeSingletonOptions> configure, Action<int, IServiceCollection>? add = null)
        {
            string[] addresses = [.. Enumerable.Range(0, count).Select(_ => _addresses.Next())];
            for (int node = 1; node <= count; node++)
            {
                int id = node;
                var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
                Logs[id] = new CollectingLog();
                builder.Services.AddSingleton<ILoggerFactory>(Logs[id]).AddSingleton(Jobs).AddDatacake(options => options
                    .WithNodeId(id).ListenOn(addresses[id - 1]).WithSeeds(addresses).WithGossip(gossip => gossip.UseLocal()).UseMemory());
                if (add is null)
                    builder.Services.AddDatacakeSingleton<Job>(configure);
                add?.Invoke(id, builder.Services);
                Hosts[id] = builder.Build();
            }
            await Task.WhenAll(Hosts.Values.Select(host => host.StartAsync(Canceled)));
            foreach (var host in Hosts.Values)
            {
                var store = await host.Services.GetRequiredService<DatacakeNode>().OpenStoreAsync(Canceled);
                await store.WaitForMembersAsync(count, Eventually.Deadline, Canceled);
                await Eventually.WaitUntilAsync(() => store.SerialStatus is { Sequencer: not null } status && status.VoterCount == count, "all nodes vote");
            }
        }

        /// <summary>Waits until the service runs on another node than the given one, and returns that node.</summary>
        public async Task<int> WaitUntilRunningAsync(int except)
        {
            int found = 0;
            await Eventually.WaitUntilAsync(
                () => Jobs.FailuresLeft < 0 && (found = Jobs.Running.Keys.FirstOrDefault(node => node != except)) != 0, $"the service runs on another node than {except}");
            return found;
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var host in Hosts.Values)
            {
                await host.StopAsync(CancellationToken.None);
                host.Dispose();
            }
            _addresses.Dispose();
        }
    }
}
