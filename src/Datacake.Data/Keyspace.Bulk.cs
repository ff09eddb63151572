using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Data;

// Changes of many entities.
public sealed partial class Keyspace<T>
{
    /// <summary>The number of entities that a part of a bulk has at first.</summary>
    const int EntitiesPerPart = 2_000;

    /// <summary>
    /// Deletes all entities of the keyspace, also those that a query filter hides, without tracking them: in one transaction, or in parts if one cannot hold them and the options allow it; see
    /// <see cref="Query{T}.ExecuteDeleteAsync(BulkOptions, CancellationToken)"/>. Entities that others add meanwhile may remain.
    /// </summary>
    /// <returns>The number of deleted entities, and the number of transactions.</returns>
    /// <exception cref="TransactionLimitException">One transaction cannot hold the entities, and they cannot be deleted in parts. Nothing was written.</exception>
    /// <exception cref="ConsistencyException">The level was not satisfied in time. What was deleted stays deleted.</exception>
    public Task<SaveResult> ClearAsync(BulkOptions? options = null, CancellationToken cancellationToken = default) =>
        IgnoreQueryFilters().ExecuteDeleteAsync(options ?? BulkOptions.Default, cancellationToken);

    /// <summary>
    /// Adds entities as they arrive, in transactions of bounded size, each of which is saved as by <see cref="DatacakeContext.SaveChangesAsync(Consistency, CancellationToken)"/>. The next
    /// entities are read from the source when the previous ones are saved, and no more than a part of them is in memory. Afterwards, none of them is tracked.
    /// </summary>
    /// <param name="entities">The entities.</param>
    /// <param name="options">The options; with <see cref="BulkOptions.RequireAtomic"/>, all entities are read into memory and saved in one transaction.</param>
    /// <param name="cancellationToken">Cancels the operation between two transactions. Entities added by then stay stored; the last <see cref="BulkProgress"/> has their number.</param>
    /// <returns>The number of added entities, and the number of transactions.</returns>
    /// <exception cref="InvalidOperationException">The context tracks entities, or a serial unit of work of it is not saved yet.</exception>
    /// <exception cref="EntityConflictException">An entity with the same key exists. Earlier parts stay stored.</exception>
    /// <exception cref="EntityValidationException">Entities violate the rules of their class. Earlier parts stay stored.</exception>
    /// <exception cref="SaveLimitException">One transaction is required and cannot hold the entities, or a single one is too large.</exception>
    /// <exception cref="ConsistencyException">The level was not satisfied in time. What was saved is kept and continues to replicate.</exception>
    public async Task<SaveResult> BulkAddAsync(IAsyncEnumerable<T> entities, BulkOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(entities);
        options ??= BulkOptions.Default;
        if (options.After is not null)
            throw new ArgumentException($"{nameof(BulkOptions.After)} is for updates and deletes. Leave out the entities at the start of the source that are stored already.", nameof(options));
        Context.ThrowIfInWork("BulkAddAsync commits by itself", "Nothing was written.");
        if (Context.ChangeTracker.Entries().Any())
            throw new InvalidOperationException("The context tracks entities, and BulkAddAsync would save their changes and stop tracking them. Use a new context. Nothing was written.");
        var total = new SaveResult(0, default, NodeSet.Of(Context.Node.Id)) { Parts = 0 };
        int perPart = options.RequireAtomic ? int.MaxValue : EntitiesPerPart;
        var part = new List<T>();
        await foreach (var entity in entities.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            part.Add(entity);
            if (part.Count >= perPart)
                await SaveAsync().ConfigureAwait(false);
        }
        while (part.Count > 0)
            await SaveAsync().ConfigureAwait(false);
        return total with { Parts = Math.Max(total.Parts, 1), Written = total.Count };

        // Saves the entities, or as many at the start of the part as a transaction can hold.
        async Task SaveAsync()
        {
            while (true)
            {
                List<T> saved = part.Count <= perPart ? part : part[..perPart];
                try
                {
                    AddRange(saved);
                    var result = await Context.SaveChangesAsync(options.Consistency ?? Context.DefaultConsistency, cancellationToken).ConfigureAwait(false);
                    OnSaved(saved, result);
                    return;
                }
                // The entities are stored, though not where they should be.
                catch (Exception e) when (e is ConsistencyException or CommitCanceledException)
                {
                    OnSaved(saved, total with { Count = saved.Count });
                    throw;
                }
                catch (SaveLimitException e) when (e.Entry is null && saved.Count > 1 && !options.RequireAtomic)
                {
                    Context.ChangeTracker.Clear();
                    perPart = saved.Count / 2;
                }
                // What an unknown outcome depends on stays tracked until it is resolved.
                catch (Exception e) when (e is not OutcomeUnknownException)
                {
                    Context.ChangeTracker.Clear();
                    throw;
                }
            }
        }

        void OnSaved(List<T> saved, SaveResult result)
        {
            var position = Model.KeyOf(saved[^1]);
            Context.ChangeTracker.Clear();
            total = result with { Count = total.Count + result.Count, Parts = total.Parts + 1 };
            part.RemoveRange(0, saved.Count);
            options.Progress?.Report(new BulkProgress(total.Count, total.Count, total.Parts, position));
        }
    }

    /// <summary>Adds entities in transactions of bounded size; see <see cref="BulkAddAsync(IAsyncEnumerable{T}, BulkOptions?, CancellationToken)"/>.</summary>
    public Task<SaveResult> BulkAddAsync(IEnumerable<T> entities, BulkOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(entities);
        return BulkAddAsync(entities.ToAsyncEnumerable(), options, cancellationToken);
    }
}
