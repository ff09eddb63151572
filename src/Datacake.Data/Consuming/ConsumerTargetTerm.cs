using System.Runtime.CompilerServices;
using Datacake.Crdt;
using Datacake.Data.CodeGeneration;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Snapshots;
using Datacake.Storage;

namespace Datacake.Data.Consuming;

/// <summary>The target of a consumer in one term: its position, and the loads of all entities.</summary>
/// <param name="store">The store.</param>
/// <param name="keyspace">The name of the keyspace.</param>
/// <param name="model">The model of the entities.</param>
/// <param name="target">The target.</param>
/// <param name="token">The number of the term.</param>
/// <param name="catchUpTime">The maximum time for which to wait until the store has what the target has.</param>
/// <param name="onProgress">Called after each load.</param>
sealed class ConsumerTargetTerm<T>(ReplicatedStore store, string keyspace, EntityModel<T> model, IConsumerTarget<T> target, long token, TimeSpan catchUpTime, Action onProgress)
    where T : class
{
    const int PageSize = 10_000;

    /// <summary>Begins the term, and returns the transactions that the target has; null if it has to be loaded.</summary>
    public async Task<VersionVector?> BeginAsync(CancellationToken cancellationToken)
    {
        var position = await target.BeginAsync(store.Cluster, token, cancellationToken).ConfigureAwait(false);
        // Expired entities of the past are in no log.
        if (position?.Known is not { IsEmpty: false } known || model.Expiry is not null || model.ExpiresAfter is not null)
            return null;
        // The store may have lost transactions that the target has, such as by a restored backup.
        return await store.WaitForPositionAsync(known, catchUpTime, cancellationToken).ConfigureAwait(false) ? known : null;
    }

    /// <summary>Loads all entities into the target, and returns the transactions that it then has.</summary>
    public async Task<VersionVector> LoadAsync(CancellationToken cancellationToken)
    {
        using var snapshot = await store.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        var position = await snapshot.GetPositionAsync(cancellationToken).ConfigureAwait(false);
        var statistics = await snapshot.GetStatisticsAsync(keyspace, cancellationToken).ConfigureAwait(false);
        await target.LoadAsync(new ConsumerLoad<T>(position, statistics.Count, ReadAsync(snapshot, cancellationToken)), cancellationToken).ConfigureAwait(false);
        onProgress();
        return position.Known!;
    }

    async IAsyncEnumerable<IReadOnlyList<T>> ReadAsync(StoreSnapshot snapshot, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var range = KeyRange.All;
        while (await snapshot.ScanAsync(keyspace, range, ScanDirection.Forward, PageSize, cancellationToken).ConfigureAwait(false) is { Count: > 0 } page)
        {
            yield return [.. page.Select(found => model.Read(found.Key, found.Document))];
            range = KeyRange.All.After(page[^1].Key.Encoded);
        }
    }
}
