using Datacake.EventualConsistency;

namespace Datacake.Data;

public abstract partial class Query<T>
{
    /// <summary>
    /// Watches the results of the query. The first batch has the current results, in their order, as added entities. The following batches
    /// have the changes that saves on this and other nodes make, until the watch is canceled. Captured variables keep the values that they
    /// have at the start.
    /// </summary>
    /// <remarks>
    /// The watch is independent of the context, which can be used and disposed in the meantime. The watch keeps the keys of the results in
    /// memory. A query with <see cref="Skip"/> or <see cref="Take"/> is run again at each change that may affect it.
    /// </remarks>
    /// <exception cref="InvalidOperationException">
    /// The query does not return entities (it may be a projection), or a serial unit of work of the context is not saved yet.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The store was closed.</exception>
    public IAsyncEnumerable<EntityChanges<T>> WatchAsync(CancellationToken cancellationToken = default) => Operator.WatchAsync(null, cancellationToken);

    /// <summary>
    /// Watches the changes of the results after a position, by saves on this and other nodes, until the watch is canceled. The first batch
    /// is empty and has the position where the watch starts. The results are not kept in memory, which suits large keyspaces.
    /// </summary>
    /// <param name="after">
    /// The <see cref="EntityChanges{T}.Position"/> of an earlier watch on this or another node, or <see cref="WatchPosition.Now"/>.
    /// </param>
    /// <param name="cancellationToken">Ends the watch.</param>
    /// <remarks>
    /// For entities that changed between the position and the start, only the latest state is known. Those that are results are reported as
    /// changed, although they may be new, and all others as removed, although they may not have been results. If the store has discarded
    /// changes, the batch has a gap: see <see cref="EntityChanges{T}.HasGap"/>.
    /// </remarks>
    /// <exception cref="InvalidOperationException">
    /// The query does not return entities (it may be a projection), it has <see cref="Skip"/> or <see cref="Take"/>, or a serial unit of work of the context is not
    /// saved yet.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The store was closed.</exception>
    public IAsyncEnumerable<EntityChanges<T>> WatchAsync(WatchPosition after, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(after);
        return Operator.WatchAsync(after, cancellationToken);
    }
}
