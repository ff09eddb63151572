using System.Diagnostics.CodeAnalysis;
using Datacake.EventualConsistency;
using Datacake.Node;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Datacake.Hosting;

/// <summary>The hosted service that runs another one while this node holds its lease.</summary>
sealed class DatacakeSingletonService<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TService>(
    IServiceProvider services, DatacakeHostedService hosted, DatacakeSingletonOptions options) : IHostedService, IAsyncDisposable
    where TService : class, IHostedService
{
    /// <summary>The time after which a lease is requested again.</summary>
    static readonly TimeSpan RequestDelay = TimeSpan.FromSeconds(1);

    /// <summary>The time that a service has to stop gracefully when the lease is lost. Another node may already wait for it.</summary>
    static readonly TimeSpan LostStopTime = TimeSpan.FromSeconds(5);

    readonly CancellationTokenSource _stopping = new();
    readonly CancellationTokenSource _hurrying = new();     // canceled when the host does not wait any longer for a graceful stop
    readonly ILogger _logger = services.GetRequiredService<ILoggerFactory>().CreateLogger<DatacakeSingletonService<TService>>();
    Task? _running;                                         // set by StartAsync
    int _failures;                                          // in a row; used by the run alone
    bool _mayStillWork;                                     // likewise: the service was started, and could not be stopped
    bool _hasCompleted;                                     // likewise: the service has ended by itself, in this term or an earlier one

    static string Name => typeof(TService).Name;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _running = Task.Run(RunAsync, CancellationToken.None);
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        if (_running is null)
            return;
        await using var hurry = cancellationToken.UnsafeRegister(static service => ((DatacakeSingletonService<TService>)service!)._hurrying.Cancel(), this).ConfigureAwait(false);
        // A service that does not stop keeps its lease until the process ends, so that it never runs twice.
        await _running.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _hurrying.CancelAsync().ConfigureAwait(false);
    }

    async Task RunAsync()
    {
        DatacakeNode node;
        try
        {
            node = await hosted.WhenStartedAsync(_stopping.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return;
        }
        bool isReported = false;
        while (!_stopping.IsCancellationRequested && !_mayStillWork)
        {
            try
            {
                var lease = await node.Leases.AcquireAsync(options.LeaseName, options.LeaseDuration, _stopping.Token).ConfigureAwait(false);
                isReported = false;
                try
                {
                    await HoldAsync(node, lease).ConfigureAwait(false);
                }
                finally
                {
                    // A lease that is not released is held until the node stops, and then expires.
                    if (!_mayStillWork)
                        await lease.DisposeAsync().ConfigureAwait(false);
                }
            }
            catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // A failure of the cluster is told by its message; a stack trace would look like a fault of the program.
                bool isOfCluster = e is NotEnoughNodesException or OutcomeUnknownException or TimeoutException or StoreExcludedException or ObjectDisposedException;
                if (!isReported)
                    HostingLog.SingletonWithoutLease(_logger, isOfCluster ? null : e, Name, e.Message.TrimEnd('.'));
                isReported = true;
                await DelayAsync(RequestDelay, node, _stopping.Token).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Runs the service, again after each failure but not once it has completed, until the lease is lost or the host stops.</summary>
    async Task HoldAsync(DatacakeNode node, Lease lease)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(lease.Lost, _stopping.Token);
        if (_hasCompleted)
        {
            // It lost the lease after that. As long as it has the lease again, no other node starts the service.
            await KeepAsync(node, ending.Token).ConfigureAwait(false);
            return;
        }
        while (!ending.IsCancellationRequested && !_mayStillWork)
        {
            long start = node.TimeProvider.GetTimestamp();
            Exception failure;
            try
            {
                await RunServiceAsync(node, lease, ending.Token).ConfigureAwait(false);
                return;
            }
            catch (OperationCanceledException) when (ending.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                failure = e;
            }
            _failures = node.TimeProvider.GetElapsedTime(start) >= options.MaxRestartDelay ? 1 : _failures + 1;
            var delay = TimeSpan.FromTicks((long)Math.Min(options.MaxRestartDelay.Ticks, options.RestartDelay.Ticks * Math.Pow(2, _failures - 1)));
            HostingLog.SingletonFailed(_logger, failure, Name, delay.TotalSeconds, _failures);
            await DelayAsync(delay, node, ending.Token).ConfigureAwait(false);
        }
    }

    /// <summary>Runs the service until it is to end. Throws if the service fails.</summary>
    async Task RunServiceAsync(DatacakeNode node, Lease lease, CancellationToken ending)
    {
        var scope = services.CreateAsyncScope();
        await using var scopeEnding = scope.ConfigureAwait(false);
        scope.ServiceProvider.GetRequiredService<DatacakeSingletonTerm>().Lease = lease;
        var service = ActivatorUtilities.CreateInstance<TService>(scope.ServiceProvider);
        bool isStarted = false;
        try
        {
            HostingLog.SingletonStarted(_logger, node.Id, Name, lease.FencingToken);
            await service.StartAsync(ending).ConfigureAwait(false);
            isStarted = true;
            // Without a task, the service works until it is stopped.
            var executing = (service as BackgroundService)?.ExecuteTask ?? Task.Delay(Timeout.InfiniteTimeSpan, ending);
            await Task.WhenAny(executing, WhenCanceled(ending)).ConfigureAwait(false);
            if (ending.IsCancellationRequested)
                return;
            await executing.ConfigureAwait(false);
            // A service that returns because it has been told to end has not completed. It may learn of that before the linked token does.
            if (lease.Lost.IsCancellationRequested || _stopping.IsCancellationRequested)
                return;
            _hasCompleted = true;
            await KeepAsync(node, ending).ConfigureAwait(false);
        }
        finally
        {
            await StopAsync(service, isStarted, node).ConfigureAwait(false);
        }
    }

    /// <summary>Keeps the lease of a service that has completed.</summary>
    async Task KeepAsync(DatacakeNode node, CancellationToken ending)
    {
        HostingLog.SingletonCompleted(_logger, Name, node.Id);
        await WhenCanceled(ending).ConfigureAwait(false);
    }

    async Task StopAsync(TService service, bool isStarted, DatacakeNode node)
    {
        using var hurry = CancellationTokenSource.CreateLinkedTokenSource(_hurrying.Token);
        // A host that stops has a time limit of its own.
        if (!_stopping.IsCancellationRequested)
            hurry.CancelAfter(LostStopTime);
        var executing = (service as BackgroundService)?.ExecuteTask;
        try
        {
            await service.StopAsync(hurry.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (executing is null && isStarted)
        {
            // Nothing tells when its work ends, nor that it ends.
            _mayStillWork = true;
            HostingLog.SingletonMayStillWork(_logger, e, Name, node.Id);
            return;
        }
        catch (Exception e)
        {
            HostingLog.SingletonNotStopped(_logger, e, Name);
        }
        // Its work ends before the lease is released, whatever that takes.
        if (executing is not null)
            await executing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (service is IAsyncDisposable asyncDisposable)
            await asyncDisposable.DisposeAsync().ConfigureAwait(false);
        else
            (service as IDisposable)?.Dispose();
        HostingLog.SingletonStopped(_logger, node.Id, Name);
    }

    static Task WhenCanceled(CancellationToken token)
    {
        var canceled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        token.UnsafeRegister(static source => ((TaskCompletionSource)source!).TrySetResult(), canceled);
        return canceled.Task;
    }

    static async Task DelayAsync(TimeSpan delay, DatacakeNode node, CancellationToken cancellationToken) =>
        await Task.Delay(delay, node.TimeProvider, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
}
