using Datacake.Crdt;
using Datacake.Data.Diagnostics;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Snapshots;
using Datacake.Storage;
using Microsoft.Extensions.Logging;

namespace Datacake.Data.Consuming;

/// <summary>The time for which a node is the only one that runs a durable consumer: loads the entities if that is not done, and then follows the changes.</summary>
sealed class ConsumerTerm<T>(
    ReplicatedStore store, ConsumerName name, ConsumerPosition position, ConsumerDelivery<T> delivery, ConsumerTargetTerm<T>? target, int maxBatchSize, TimeProvider time, ILogger logger)
    where T : class
{
    /// <summary>The time after which the position is saved although nothing has changed, so that the log is not kept for this consumer.</summary>
    static readonly TimeSpan ProgressInterval = TimeSpan.FromSeconds(5);

    /// <summary>The time after which the position is saved in the cluster although the target has it, so that a busy consumer writes it rarely.</summary>
    static readonly TimeSpan TargetSaveInterval = TimeSpan.FromSeconds(1);

    readonly List<DocumentChange> _pending = [];
    VersionVector _processed = VersionVector.Empty;
    long _savedAt;

    /// <summary>Runs until the term ends.</summary>
    /// <exception cref="OperationCanceledException">The term has ended.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var reached = target is null ? null : await target.BeginAsync(cancellationToken).ConfigureAwait(false);
        while (true)
        {
            if (target is not null)
                await position.SaveAsync(reached ?? await target.LoadAsync(cancellationToken).ConfigureAwait(false), loadedUpTo: null, cancellationToken).ConfigureAwait(false);
            else if (position.LoadedUpTo is { } loaded)
                await LoadAsync(loaded, cancellationToken).ConfigureAwait(false);
            await FollowAsync(cancellationToken).ConfigureAwait(false);
            ConsumerLog.Reset(logger, name.ToString());
            DataTelemetry.ConsumerReset(name.Keyspace, name.Name);
            reached = null;
            if (target is null)
                await position.ResetAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Delivers the entities after a key, as they are when each batch is read. The changes since the position follow.</summary>
    async Task LoadAsync(ReadOnlyMemory<byte> loaded, CancellationToken cancellationToken)
    {
        bool isReset = loaded.IsEmpty;
        while (true)
        {
            IReadOnlyList<StoredDocument> page;
            var range = loaded.IsEmpty ? KeyRange.All : KeyRange.All.After(loaded);
            // A snapshot must not stay open for as long as the handler takes.
            using (var snapshot = await store.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false))
                page = await snapshot.ScanAsync(name.Keyspace, range, ScanDirection.Forward, maxBatchSize, cancellationToken).ConfigureAwait(false);
            // An empty keyspace is news after a reset.
            if (page.Count > 0 || isReset)
            {
                List<DocumentChange> changes = [.. page.Select(static found => new DocumentChange(found.Key, null, found.Document, IsBeforeKnown: false))];
                await delivery.DeliverAsync(changes, position.Saved, isLoad: true, isReset, cancellationToken).ConfigureAwait(false);
            }
            isReset = false;
            if (page.Count > 0)
                loaded = page[^1].Key.Encoded;
            await position.SaveAsync(position.Saved, page.Count > 0 ? loaded : default(ReadOnlyMemory<byte>?), cancellationToken).ConfigureAwait(false);
            if (page.Count == 0)
                return;
        }
    }

    /// <summary>Delivers the changes after the position, until the log does not have the next ones.</summary>
    async Task FollowAsync(CancellationToken cancellationToken)
    {
        _pending.Clear();
        var reached = position.Saved;
        _processed = reached;
        using var watching = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var watch = store.WatchAsync(name.Keyspace, new WatchPosition(reached), ProgressInterval, watching.Token).GetAsyncEnumerator(CancellationToken.None);
        var moving = Task.FromResult(true);
        try
        {
            while (true)
            {
                moving = watch.MoveNextAsync().AsTask();
                // Collects what has arrived, so that many small transactions cost one write of the position.
                if ((!moving.IsCompleted || _pending.Count >= maxBatchSize) && !IsPart(reached))
                    await DeliverAsync(reached, cancellationToken).ConfigureAwait(false);
                if (!await moving.ConfigureAwait(false))
                    return;
                var next = watch.Current;
                // Expired entities of the past are not reported, whether the consumer was away or is slow. A target does not keep them.
                if (target is null && next is { HasGap: true, IsExpiry: true })
                    continue;
                if (next.HasGap)
                    return;
                _pending.AddRange(next.Changes);
                reached = next.Position.Known!;
            }
        }
        finally
        {
            // A watch can be disposed of only when it is not moving.
            await watching.CancelAsync().ConfigureAwait(false);
            await ((Task)moving).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await watch.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>True if the pending changes are only a part of those that lead to the next position, which a target commits at once.</summary>
    bool IsPart(VersionVector reached) => target is not null && _pending.Count > 0 && reached.Equals(_processed);

    /// <summary>Delivers the pending changes, which lead to a position, and saves it.</summary>
    async Task DeliverAsync(VersionVector reached, CancellationToken cancellationToken)
    {
        // A target commits what belongs together at once, and keeps its position up although nothing has changed.
        int maxSize = target is null ? maxBatchSize : int.MaxValue;
        IEnumerable<DocumentChange[]> batches = target is not null && _pending.Count == 0 && !reached.Equals(_processed) ? [[]] : _pending.Chunk(maxSize);
        foreach (var changes in batches.Index())
        {
            bool isLast = changes.Index + 1 >= (_pending.Count + maxSize - 1L) / maxSize;
            await delivery.DeliverAsync(changes.Item, isLast ? reached : _processed, isLoad: false, isReset: false, cancellationToken).ConfigureAwait(false);
        }
        _pending.Clear();
        _processed = reached;
        if (target is not null && time.GetElapsedTime(_savedAt) < TargetSaveInterval)
            return;
        _savedAt = time.GetTimestamp();
        await position.SaveAsync(reached, loadedUpTo: null, cancellationToken).ConfigureAwait(false);
    }
}
