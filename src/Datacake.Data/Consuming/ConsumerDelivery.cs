using Datacake.Crdt;
using Datacake.Data.CodeGeneration;
using Datacake.Data.Diagnostics;
using Datacake.EventualConsistency;
using Datacake.Node;
using Microsoft.Extensions.Logging;

namespace Datacake.Data.Consuming;

/// <summary>The delivery of batches to the handler of a durable consumer, repeated until the handler succeeds, unless a failure ends the term.</summary>
sealed class ConsumerDelivery<T>(
    DatacakeNode node, EntityModel<T> model, ConsumerName name, Func<ConsumedBatch<T>, CancellationToken, Task> handler, bool retries, ConsumerOptions options, long token,
    Action onProgress, ILogger logger)
    where T : class
{
    /// <summary>Delivers a batch.</summary>
    /// <exception cref="UnreadableEntityException">A document does not match the class.</exception>
    /// <exception cref="OperationCanceledException">The term has ended.</exception>
    public async Task DeliverAsync(IReadOnlyList<DocumentChange> changes, VersionVector position, bool isLoad, bool isReset, CancellationToken cancellationToken)
    {
        for (int attempt = 1; ; attempt++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            // The handler may have changed the entities of the failed attempt.
            var batch = new ConsumedBatch<T>
            {
                Changes = [.. changes.Select(change => Read(change, isLoad))],
                Position = new WatchPosition(position),
                IsLoad = isLoad,
                IsReset = isReset,
                Attempt = attempt,
                FencingToken = token,
            };
            try
            {
                await handler(batch, cancellationToken).ConfigureAwait(false);
                break;
            }
            catch (Exception e) when (retries && !cancellationToken.IsCancellationRequested)
            {
                var delay = options.DelayAfter(attempt);
                DataTelemetry.ConsumerFailed(name.Keyspace, name.Name);
                ConsumerLog.HandlerFailed(logger, e, name.ToString(), changes.Count, delay.TotalSeconds, attempt);
                await Task.Delay(delay, node.TimeProvider, cancellationToken).ConfigureAwait(false);
            }
        }
        onProgress();
        DataTelemetry.Consumed(name.Keyspace, name.Name, changes.Count);
        var lag = node.TimeProvider.GetUtcNow() - position.Top.Time;
        if (!isLoad)
            DataTelemetry.ConsumerLags(name.Keyspace, name.Name, lag > TimeSpan.Zero ? lag : TimeSpan.Zero);
    }

    EntityChange<T> Read(DocumentChange change, bool isLoad)
    {
        var kind = change.After is null ? EntityChangeKind.Removed
            : isLoad || (change.IsBeforeKnown && change.Before is null) ? EntityChangeKind.Added
            : EntityChangeKind.Changed;
        return new EntityChange<T>(kind, change.Key, Read(change.Key, change.Before), Read(change.Key, change.After));
    }

    T? Read(DocumentKey key, Document? document) => document is null ? null : model.Read(key, document);
}
