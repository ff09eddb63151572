using Datacake.Data.Serial;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Sequencing;

namespace Datacake.Data;

public sealed partial class Keyspace<T>
{
    /// <summary>
    /// Ends the enforcement of a unique index that was removed from the model, or of its former definitions if its properties have changed. Until then, the cluster
    /// enforces it, because other nodes may still rely on it. Call it when no node runs a version whose model has the index: the next save of such a node makes the
    /// cluster enforce it again.
    /// </summary>
    /// <param name="name">The name of the index, such as that of its property, or its properties joined by underscores.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The number of definitions that were enforced and no longer are; 0 if there were none, such as when another node has ended them.</returns>
    /// <exception cref="InvalidOperationException">The class is not serial, its model has the index, or a serial unit of work of the context is not saved yet.</exception>
    /// <exception cref="NotEnoughNodesException">No majority of the voters can be reached.</exception>
    public async Task<int> DropUniqueIndexAsync(string name, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        Context.ThrowIfInWork("DropUniqueIndexAsync commits by itself", "Nothing was changed.");
        if (!Model.IsSerial)
            throw new InvalidOperationException($"{Model.Name} is not serial, and only serial classes have unique indexes. Remove the call.");
        using var operation = Context.Concurrency.Enter();
        var store = await Context.GetStoreAsync(cancellationToken).ConfigureAwait(false);
        await store.PassBarrierAsync(cancellationToken).ConfigureAwait(false);
        var kept = UniqueIndexes.Of([Metadata]);
        var effects = new Transaction();
        using (var snapshot = await store.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false))
        {
            foreach (var index in await UniqueIndexes.EnforcedAsync(snapshot, Name, cancellationToken).ConfigureAwait(false))
            {
                if (index.Name == UniqueIndexes.NameOf(name) && kept.All(known => known.RecordKey != index.RecordKey))
                    effects.Delete(UniqueIndex.RecordKeyspace, index.RecordKey);
            }
        }
        if (effects.Count > 0)
            await store.CommitSerialAsync(new SerialTransaction(effects, []), cancellationToken).ConfigureAwait(false);
        else if (kept.Any(known => known.Name == UniqueIndexes.NameOf(name)))
        {
            throw new InvalidOperationException(
                $"The unique index {name} of {Model.Name} is in the model, so that the next save would make the cluster enforce it again. Nothing was changed. Remove it from the model first.");
        }
        return effects.Count;
    }
}
