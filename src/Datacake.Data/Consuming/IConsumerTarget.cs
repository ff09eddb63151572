using Datacake.EventualConsistency;

namespace Datacake.Data.Consuming;

/// <summary>
/// A system that a durable consumer keeps up to date, and that keeps the position itself, in the transactions of its data. The position in the cluster is then only for
/// the log, which is kept from there on.
/// </summary>
interface IConsumerTarget<T>
    where T : class
{
    /// <summary>Begins a term: refuses writes of earlier terms, and returns the position.</summary>
    /// <param name="cluster">The identity of the store's cluster. A position of another cluster is meaningless.</param>
    /// <param name="fencingToken">The number of the term.</param>
    /// <param name="cancellationToken">The token that is canceled when the term ends.</param>
    /// <returns>The position; null if the target has none, and has to be loaded.</returns>
    Task<WatchPosition?> BeginAsync(ulong cluster, long fencingToken, CancellationToken cancellationToken);

    /// <summary>Replaces the data and the position by those of a snapshot, at once.</summary>
    Task LoadAsync(ConsumerLoad<T> load, CancellationToken cancellationToken);

    /// <summary>Applies changes, and saves the position after them. The transactions of the store are whole in it, except while the consumer catches up. There may be no changes.</summary>
    Task ApplyAsync(ConsumedBatch<T> batch, CancellationToken cancellationToken);

    /// <summary>Ends a term, or an attempt to begin one.</summary>
    /// <param name="failure">The failure that has ended it; null if there is none.</param>
    ValueTask EndAsync(Exception? failure);
}

/// <summary>The entities of a snapshot.</summary>
/// <param name="Position">The position of the snapshot.</param>
/// <param name="Count">The approximate number of entities.</param>
/// <param name="Pages">The entities, in the order of their keys. They can be read once.</param>
sealed record ConsumerLoad<T>(WatchPosition Position, long Count, IAsyncEnumerable<IReadOnlyList<T>> Pages);
