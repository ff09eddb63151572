using System.Linq.Expressions;
using Datacake.Data.Querying;

namespace Datacake.Data;

public abstract partial class Query<T>
{
    /// <summary>Returns the last result for which the predicate is true.</summary>
    /// <exception cref="InvalidOperationException">There is no such result.</exception>
    public Task<T> LastAsync(Expression<Func<T, bool>> predicate, CancellationToken cancellationToken = default) =>
        Where(predicate).LastAsync(cancellationToken);

    /// <summary>Returns the last result for which the predicate is true, or the type's default if there is none.</summary>
    public Task<T?> LastOrDefaultAsync(Expression<Func<T, bool>> predicate, CancellationToken cancellationToken = default) =>
        Where(predicate).LastOrDefaultAsync(cancellationToken);

    /// <summary>Returns the result at an index, counted from 0.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The query has no result at the index.</exception>
    public async Task<T> ElementAtAsync(int index, CancellationToken cancellationToken = default) =>
        index >= 0 && await Skip(index).Take(1).ToListAsync(cancellationToken).ConfigureAwait(false) is [var found]
            ? found
            : throw new ArgumentOutOfRangeException(nameof(index), index, "The query has no result at this index.");

    /// <summary>Returns the result at an index, counted from 0, or the type's default if there is none.</summary>
    public async Task<T?> ElementAtOrDefaultAsync(int index, CancellationToken cancellationToken = default) =>
        index >= 0 && await Skip(index).Take(1).ToListAsync(cancellationToken).ConfigureAwait(false) is [var found] ? found : default;

    /// <summary>
    /// Returns the first of the results with the smallest key, or the type's default if there are no results. Null keys count only if all
    /// keys are null. An index on the key is used.
    /// </summary>
    /// <exception cref="InvalidOperationException">There are no results, and the type cannot be null.</exception>
    public async Task<T?> MinByAsync<TKey>(Expression<Func<T, TKey>> keySelector, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(keySelector);
        if (default(TKey) is null)
        {
            var isNotNull = Expression.NotEqual(keySelector.Body, Expression.Constant(null, typeof(TKey)));
            var keyed = Where(Expression.Lambda<Func<T, bool>>(isNotNull, keySelector.Parameters));
            if (await keyed.OrderBy(keySelector).Take(1).ToListAsync(cancellationToken).ConfigureAwait(false) is [var least])
                return least;
        }
        return await OrderBy(keySelector).ExtremeAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Returns the first of the results with the greatest key, or the type's default if there are no results. An index on the key is used.
    /// </summary>
    /// <exception cref="InvalidOperationException">There are no results, and the type cannot be null.</exception>
    public Task<T?> MaxByAsync<TKey>(Expression<Func<T, TKey>> keySelector, CancellationToken cancellationToken = default) =>
        OrderByDescending(keySelector).ExtremeAsync(cancellationToken);

    /// <summary>Returns the smallest result, or null if there is no result other than null. Strings compare ordinally.</summary>
    /// <exception cref="InvalidOperationException">There are no results, and the type cannot be null.</exception>
    public Task<T?> MinAsync(CancellationToken cancellationToken = default) => MinAsync(static item => item, cancellationToken);

    /// <summary>Returns the greatest result, or null if there is no result other than null. Strings compare ordinally.</summary>
    /// <exception cref="InvalidOperationException">There are no results, and the type cannot be null.</exception>
    public Task<T?> MaxAsync(CancellationToken cancellationToken = default) => MaxAsync(static item => item, cancellationToken);

    /// <summary>Returns true if an item is among the results. Entities are equal if their keys are.</summary>
    public async Task<bool> ContainsAsync(T item, CancellationToken cancellationToken = default)
    {
        if (Operator.Source is not null && item is not null)
        {
            var other = Expression.Parameter(typeof(T));
            return await AnyAsync(Expression.Lambda<Func<T, bool>>(Expression.Equal(other, Expression.Constant(item, typeof(T))), other), cancellationToken).ConfigureAwait(false);
        }
        await foreach (var batch in Operator.Resolving(new RunIdentities()).RunAsync(cancellationToken).WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            if (batch.Contains(item))
                return true;
        }
        return false;
    }

    /// <summary>Returns true if the results equal those of another query, in the same order.</summary>
    public async Task<bool> SequenceEqualAsync(Query<T> second, CancellationToken cancellationToken = default)
    {
        // Both queries run as one, with one snapshot and one instance for each entity.
        var both = Combine<T, bool>(second, "equals", static (a, b, _) => Batches.AreEqual(a, b)).Operator.Resolving(new RunIdentities());
        return (await both.ToListAsync(cancellationToken).ConfigureAwait(false))[0];
    }

    /// <summary>Returns true if the results equal the items of a sequence, in the same order.</summary>
    public Task<bool> SequenceEqualAsync(IEnumerable<T> second, CancellationToken cancellationToken = default) =>
        SequenceEqualAsync(Local(second), cancellationToken);

    /// <summary>Applies an accumulator function to a seed and each result in turn.</summary>
    public async Task<TAccumulate> AggregateAsync<TAccumulate>(
        TAccumulate seed, Func<TAccumulate, T, TAccumulate> func, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(func);
        await foreach (var batch in Operator.RunAsync(cancellationToken).WithCancellation(cancellationToken).ConfigureAwait(false))
            seed = batch.Aggregate(seed, func);
        return seed;
    }

    /// <summary>Applies an accumulator function to the results in turn, starting with the first one.</summary>
    /// <exception cref="InvalidOperationException">There is no result.</exception>
    public async Task<T> AggregateAsync(Func<T, T, T> func, CancellationToken cancellationToken = default) =>
        (await ToListAsync(cancellationToken).ConfigureAwait(false)) is { Count: > 0 } all ? all.Aggregate(func) : throw NoResults();

    /// <summary>Returns all results in a set.</summary>
    public async Task<HashSet<T>> ToHashSetAsync(CancellationToken cancellationToken = default) =>
        [.. await ToListAsync(cancellationToken).ConfigureAwait(false)];

    /// <summary>Returns all results in a lookup, in which several may have the same key.</summary>
    public async Task<ILookup<TKey, T>> ToLookupAsync<TKey>(Func<T, TKey> keySelector, CancellationToken cancellationToken = default) =>
        (await ToListAsync(cancellationToken).ConfigureAwait(false)).ToLookup(keySelector);

    /// <summary>Returns a projection of all results in a lookup, in which several may have the same key.</summary>
    public async Task<ILookup<TKey, TElement>> ToLookupAsync<TKey, TElement>(
        Func<T, TKey> keySelector, Func<T, TElement> elementSelector, CancellationToken cancellationToken = default) =>
        (await ToListAsync(cancellationToken).ConfigureAwait(false)).ToLookup(keySelector, elementSelector);

    /// <summary>Reads all results, so that the context tracks them.</summary>
    public async Task LoadAsync(CancellationToken cancellationToken = default)
    {
        await foreach (var _ in Operator.RunAsync(cancellationToken).WithCancellation(cancellationToken).ConfigureAwait(false))
        {
        }
    }

    /// <summary>Calls an action for each result.</summary>
    public async Task ForEachAsync(Action<T> action, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(action);
        await foreach (var batch in Operator.RunAsync(cancellationToken).WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            foreach (var item in batch)
                action(item);
        }
    }

    /// <summary>
    /// Returns the first result, or null if there is none. Throws an exception if there is none and the type cannot be null.
    /// </summary>
    internal async Task<T?> ExtremeAsync(CancellationToken cancellationToken) =>
        await Operator.Take(1).ToListAsync(cancellationToken).ConfigureAwait(false) is [var found] ? found : default(T) is null ? default : throw NoResults();
}
