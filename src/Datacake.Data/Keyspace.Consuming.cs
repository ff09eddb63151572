using Datacake.Data.Consuming;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Leases;

namespace Datacake.Data;

// Durable consumers.
public sealed partial class Keyspace<T>
{
    /// <summary>
    /// Processes all entities, and then all their changes, on one node of the cluster at a time, until the call is canceled. Call it on all nodes that may run the consumer:
    /// the others wait, and one of them continues from the position that the cluster keeps when the node that runs it stops or fails.
    /// </summary>
    /// <param name="name">The name of the consumer, which its position belongs to. It and the name of the keyspace have at most 190 bytes in UTF-8.</param>
    /// <param name="handler">
    /// Processes a batch. It is called for one batch at a time; once it has returned, the position is saved. If it throws, the same changes are delivered again after a delay. Its token is
    /// canceled when the call is canceled, or when this node must no longer run the consumer; no other node continues before the handler has returned, unless this node was cut off or suspended.
    /// </param>
    /// <param name="options">The settings, for this node; null for the defaults.</param>
    /// <param name="cancellationToken">Ends the consumer on this node. Its position is kept, and another node continues at once.</param>
    /// <remarks>
    /// <para>
    /// Changes are delivered at least once, and those of an entity in the order in which the node has seen them. Of the changes that were made while nobody consumed, only the latest state
    /// of each entity is delivered. If the log no longer has them (see <see cref="ReplicatedStoreOptions.ConsumerRetention"/>), all entities are delivered again, beginning with a batch
    /// that says so: see <see cref="ConsumedBatch{T}.IsReset"/>. An entity that expires is delivered as removed only if that happens while the consumer runs and keeps up.
    /// </para>
    /// <para>
    /// The consumer sees the entities that a query filter hides, too. It is independent of the context, which can be used and disposed in the meantime. Its lease and its position are
    /// written by serial transactions, which need a majority of the voters; without one, it waits.
    /// </para>
    /// </remarks>
    /// <exception cref="ArgumentException">The name is empty or too long, or an option is invalid.</exception>
    /// <exception cref="InvalidOperationException">A serial unit of work of the context is not saved yet.</exception>
    /// <exception cref="OperationCanceledException">The call was canceled.</exception>
    /// <exception cref="StoreExcludedException">The store is no longer part of its cluster.</exception>
    /// <exception cref="ObjectDisposedException">The store was closed.</exception>
    public async Task ConsumeAsync(
        string name, Func<ConsumedBatch<T>, CancellationToken, Task> handler, ConsumerOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(handler);
        await RunConsumerAsync(name, handler, target: null, options, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Keeps a target up to date, as a consumer of a name, on one node of the cluster at a time, until the call is canceled.</summary>
    internal Task ConsumeIntoAsync(string name, IConsumerTarget<T> target, ConsumerOptions options, CancellationToken cancellationToken) =>
        RunConsumerAsync(name, target.ApplyAsync, target, options, cancellationToken);

    async Task RunConsumerAsync(
        string name, Func<ConsumedBatch<T>, CancellationToken, Task> handler, IConsumerTarget<T>? target, ConsumerOptions? options, CancellationToken cancellationToken)
    {
        var consumer = new ConsumerName(Name, name);
        var settings = (options ?? new ConsumerOptions()).Checked();
        LeaseTaker.Check(consumer.Lease, settings.LeaseDuration);
        Context.ThrowIfInWork("ConsumeAsync reads on after the save, and is not checked by it", "Nothing was read.");
        var store = await Context.GetStoreAsync(cancellationToken).ConfigureAwait(false);
        await new Consumer<T>(Context.Node, store, Model, consumer, handler, target, settings, Context.Logger).RunAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Deletes the position of a consumer that is no longer used, so that the log is no longer kept for it. Stop the consumer on all nodes first: one that runs begins again with all entities.
    /// </summary>
    /// <param name="name">The name of the consumer.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>True if there was a position.</returns>
    /// <exception cref="ArgumentException">The name is empty or too long.</exception>
    /// <exception cref="NotEnoughNodesException">A majority of the voters is not up. Nothing was deleted.</exception>
    /// <exception cref="OutcomeUnknownException">The outcome was not learned in time. Call the method again.</exception>
    /// <exception cref="TimeoutException">No sequencer was found in time. Nothing was deleted.</exception>
    public async Task<bool> DeleteConsumerAsync(string name, CancellationToken cancellationToken = default)
    {
        var key = new ConsumerName(Name, name).Key;
        var store = await Context.GetStoreAsync(cancellationToken).ConfigureAwait(false);
        await store.DeclareConsumersAsync(cancellationToken).ConfigureAwait(false);
        while (await store.ReadConsumerAsync(key, cancellationToken).ConfigureAwait(false) is { } record)
        {
            if (await store.WriteConsumerAsync(key, record, after: null, cancellationToken).ConfigureAwait(false))
                return true;
        }
        return false;
    }
}
