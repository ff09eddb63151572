using Datacake.Data.CodeGeneration;
using Datacake.Data.Diagnostics;
using Datacake.EventualConsistency;
using Datacake.Node;
using Microsoft.Extensions.Logging;

namespace Datacake.Data.Consuming;

/// <summary>
/// A durable consumer on one node: waits until it holds the consumer's lease, and then runs terms, each of which continues from the position that the cluster keeps, or its target.
/// </summary>
sealed class Consumer<T>(
    DatacakeNode node, ReplicatedStore store, EntityModel<T> model, ConsumerName name,
    Func<ConsumedBatch<T>, CancellationToken, Task> handler, IConsumerTarget<T>? target, ConsumerOptions options, ILogger logger)
    where T : class
{
    /// <summary>The maximum time for which a node that takes over waits for transactions that were processed elsewhere. The only copy of some may be lost.</summary>
    static readonly TimeSpan MaxCatchUpTime = TimeSpan.FromSeconds(10);

    /// <summary>Consumes until it is canceled.</summary>
    /// <exception cref="OperationCanceledException">The call was canceled.</exception>
    /// <exception cref="ObjectDisposedException">The store was closed.</exception>
    /// <exception cref="StoreExcludedException">The store is no longer part of its cluster.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        int failures = 0;
        while (true)
        {
            Exception failure;
            try
            {
                await store.DeclareConsumersAsync(cancellationToken).ConfigureAwait(false);
                var lease = await store.Leases.AcquireAsync(name.Lease, options.LeaseDuration, cancellationToken).ConfigureAwait(false);
                await using var releasing = lease.ConfigureAwait(false);
                await RunTermAsync(lease, () => failures = 0, cancellationToken).ConfigureAwait(false);
                await EndAsync(null).ConfigureAwait(false);
                continue;
            }
            catch (Exception e) when (cancellationToken.IsCancellationRequested)
            {
                await EndAsync(null).ConfigureAwait(false);
                throw new OperationCanceledException($"The consumer {name} was canceled.", e, cancellationToken);
            }
            catch (Exception e) when (e is ObjectDisposedException or StoreExcludedException)
            {
                await EndAsync(e).ConfigureAwait(false);
                throw;
            }
            catch (Exception e)
            {
                failure = e;
            }
            await EndAsync(failure).ConfigureAwait(false);
            // A failure of the cluster is told by its message; a stack trace would look like a fault of the program.
            bool isOfCluster = failure is NotEnoughNodesException or OutcomeUnknownException or TimeoutException;
            var delay = options.DelayAfter(++failures);
            ConsumerLog.Failed(logger, isOfCluster ? null : failure, name.ToString(), node.Id, delay.TotalSeconds, failure.Message.TrimEnd('.'));
            await Task.Delay(delay, node.TimeProvider, cancellationToken).ConfigureAwait(false);
        }
    }

    ValueTask EndAsync(Exception? failure) => target?.EndAsync(failure) ?? ValueTask.CompletedTask;

    /// <summary>Runs a term. Returns when the lease is lost, and throws if the term fails.</summary>
    async Task RunTermAsync(Lease lease, Action onProgress, CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(lease.Lost, cancellationToken);
        ConsumerLog.Started(logger, node.Id, name.ToString(), lease.FencingToken);
        DataTelemetry.Consuming(name.Keyspace, name.Name, 1);
        try
        {
            var position = new ConsumerPosition(store, name, lease.FencingToken);
            await position.ClaimAsync(options.SkipExisting, ending.Token).ConfigureAwait(false);
            // Otherwise, entities would first go back to what they were before the last changes that another node has processed.
            if (target is null && !await store.WaitForPositionAsync(position.Saved, MaxCatchUpTime, ending.Token).ConfigureAwait(false))
                ConsumerLog.Behind(logger, name.ToString(), node.Id);
            var delivery = new ConsumerDelivery<T>(node, model, name, handler, retries: target is null, options, lease.FencingToken, onProgress, logger);
            var loading = target is null ? null : new ConsumerTargetTerm<T>(store, name.Keyspace, model, target, lease.FencingToken, MaxCatchUpTime, onProgress);
            var term = new ConsumerTerm<T>(store, name, position, delivery, loading, options.MaxBatchSize, node.TimeProvider, logger);
            await term.RunAsync(ending.Token).ConfigureAwait(false);
        }
        catch (Exception) when (lease.Lost.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            // The store has logged why. Another node may run the consumer by now.
        }
        finally
        {
            DataTelemetry.Consuming(name.Keyspace, name.Name, -1);
            ConsumerLog.Ended(logger, node.Id, name.ToString());
        }
    }
}
