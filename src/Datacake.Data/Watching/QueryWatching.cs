using Datacake.EventualConsistency;

namespace Datacake.Data;

public abstract partial class Query<T>
{
    /// <summary>
    /// Live results: at once the current ones, in their order, as added entities of a first batch; then, until the cancellation, what becomes
    /// of them by saves on this node and on others. Captured variables keep the values that they have at the start.
    /// </summary>
    /// <remarks>
    /// The watch is independent of the context, which can be used, and disposed, meanwhile. It remembers the keys of the results. A query
    /// with <see cref="Skip"/> or <see cref="Take"/> is run again at each change that may matter to it.
    /// </remarks>
    /// <exception cref="InvalidOperationException">The query is not one for entities, but a projection or the like.</exception>
    /// <exception cref="ObjectDisposedException">The store was closed.</exception>
    public IAsyncEnumerable<EntityChanges<T>> WatchAsync(CancellationToken cancellationToken = default) => WatchCore(null, cancellationToken);

    /// <summary>
    /// What becomes of the results after a position, by saves on this node and on others, until the cancellation. The first batch is empty and
    /// says from where. Nothing is remembered of the results, so it suits large keyspaces.
    /// </summary>
    /// <param name="after">The <see cref="EntityChanges{T}.Position"/> of an earlier watch, of this node or another one, or <see cref="WatchPosition.Now"/>.</param>
    /// <param name="cancellationToken">Ends the watch.</param>
    /// <remarks>
    /// Of what was missed between the position and the start, only the latest state is known: results come as changed, though some may be new,
    /// and all else as removed, though it may have been no result. What is forgotten in the store leaves a gap:
    /// <see cref="EntityChanges{T}.HasGap"/>.
    /// </remarks>
    /// <exception cref="InvalidOperationException">
    /// The query is not one for entities, but a projection or the like, or it has <see cref="Skip"/> or <see cref="Take"/>.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The store was closed.</exception>
    public IAsyncEnumerable<EntityChanges<T>> WatchAsync(WatchPosition after, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(after);
        return WatchCore(after, cancellationToken);
    }

    internal virtual IAsyncEnumerable<EntityChanges<T>> WatchCore(WatchPosition? after, CancellationToken cancellationToken) =>
        throw new InvalidOperationException(
            $"WatchAsync needs a query for the entities of a keyspace; this is '{this}'. Watch the entities, and project what comes.");
}
