using System.Linq.Expressions;

namespace Datacake.Data;

public abstract partial class Query<T>
{
    /// <summary>Returns all results in a list.</summary>
    public Task<List<T>> ToListAsync(CancellationToken cancellationToken = default) => Operator.ToListAsync(cancellationToken);

    /// <summary>Returns all results in an array.</summary>
    public async Task<T[]> ToArrayAsync(CancellationToken cancellationToken = default) =>
        [.. await ToListAsync(cancellationToken).ConfigureAwait(false)];

    /// <summary>Returns all results in a dictionary.</summary>
    /// <exception cref="ArgumentException">Two results have the same key.</exception>
    public async Task<Dictionary<TKey, T>> ToDictionaryAsync<TKey>(Func<T, TKey> keySelector, CancellationToken cancellationToken = default)
        where TKey : notnull => (await ToListAsync(cancellationToken).ConfigureAwait(false)).ToDictionary(keySelector);

    /// <summary>Returns a projection of all results in a dictionary.</summary>
    /// <exception cref="ArgumentException">Two results have the same key.</exception>
    public async Task<Dictionary<TKey, TElement>> ToDictionaryAsync<TKey, TElement>(
        Func<T, TKey> keySelector, Func<T, TElement> elementSelector, CancellationToken cancellationToken = default)
        where TKey : notnull => (await ToListAsync(cancellationToken).ConfigureAwait(false)).ToDictionary(keySelector, elementSelector);

    /// <summary>Returns the first result.</summary>
    /// <exception cref="InvalidOperationException">There is no result.</exception>
    public async Task<T> FirstAsync(CancellationToken cancellationToken = default) =>
        await Operator.Take(1).ToListAsync(cancellationToken).ConfigureAwait(false) is [var first] ? first : throw NoResults();

    /// <summary>Returns the first result for which the predicate is true.</summary>
    /// <exception cref="InvalidOperationException">There is no such result.</exception>
    public Task<T> FirstAsync(Expression<Func<T, bool>> predicate, CancellationToken cancellationToken = default) =>
        Where(predicate).FirstAsync(cancellationToken);

    /// <summary>Returns the first result, or the type's default if there is none.</summary>
    public async Task<T?> FirstOrDefaultAsync(CancellationToken cancellationToken = default) =>
        await Operator.Take(1).ToListAsync(cancellationToken).ConfigureAwait(false) is [var first] ? first : default;

    /// <summary>Returns the first result for which the predicate is true, or the type's default if there is none.</summary>
    public Task<T?> FirstOrDefaultAsync(Expression<Func<T, bool>> predicate, CancellationToken cancellationToken = default) =>
        Where(predicate).FirstOrDefaultAsync(cancellationToken);

    /// <summary>Returns the last result. If a key or an index provides the order, it is read from its end.</summary>
    /// <exception cref="InvalidOperationException">There is no result.</exception>
    public async Task<T> LastAsync(CancellationToken cancellationToken = default) =>
        await Operator.Reverse().Take(1).ToListAsync(cancellationToken).ConfigureAwait(false) is [var last] ? last : throw NoResults();

    /// <summary>
    /// Returns the last result, or the type's default if there is none. If a key or an index provides the order, it is read from its end.
    /// </summary>
    public async Task<T?> LastOrDefaultAsync(CancellationToken cancellationToken = default) =>
        await Operator.Reverse().Take(1).ToListAsync(cancellationToken).ConfigureAwait(false) is [var last] ? last : default;

    /// <summary>Returns the only result.</summary>
    /// <exception cref="InvalidOperationException">There is no result, or more than one.</exception>
    public async Task<T> SingleAsync(CancellationToken cancellationToken = default) =>
        await Operator.Take(2).ToListAsync(cancellationToken).ConfigureAwait(false) switch
        {
            [var single] => single,
            [] => throw NoResults(),
            _ => throw ManyResults(),
        };

    /// <summary>Returns the only result for which the predicate is true.</summary>
    /// <exception cref="InvalidOperationException">There is no such result, or more than one.</exception>
    public Task<T> SingleAsync(Expression<Func<T, bool>> predicate, CancellationToken cancellationToken = default) =>
        Where(predicate).SingleAsync(cancellationToken);

    /// <summary>Returns the only result, or the type's default if there is none.</summary>
    /// <exception cref="InvalidOperationException">There is more than one result.</exception>
    public async Task<T?> SingleOrDefaultAsync(CancellationToken cancellationToken = default) =>
        await Operator.Take(2).ToListAsync(cancellationToken).ConfigureAwait(false) switch
        {
            [var single] => single,
            [] => default,
            _ => throw ManyResults(),
        };

    /// <summary>Returns the only result for which the predicate is true, or the type's default if there is none.</summary>
    /// <exception cref="InvalidOperationException">There is more than one such result.</exception>
    public Task<T?> SingleOrDefaultAsync(Expression<Func<T, bool>> predicate, CancellationToken cancellationToken = default) =>
        Where(predicate).SingleOrDefaultAsync(cancellationToken);

    /// <summary>Returns true if there is any result.</summary>
    public Task<bool> AnyAsync(CancellationToken cancellationToken = default) => Operator.AnyAsync(cancellationToken);

    /// <summary>Returns true if the predicate is true for any result.</summary>
    public Task<bool> AnyAsync(Expression<Func<T, bool>> predicate, CancellationToken cancellationToken = default) =>
        Where(predicate).AnyAsync(cancellationToken);

    /// <summary>Returns true if the predicate is true for all results.</summary>
    public async Task<bool> AllAsync(Expression<Func<T, bool>> predicate, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(predicate);
        var opposite = Expression.Lambda<Func<T, bool>>(Expression.Not(predicate.Body), predicate.Parameters);
        return !await Where(opposite).AnyAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Returns the number of results.</summary>
    /// <exception cref="OverflowException">
    /// There are more than <see cref="int.MaxValue"/> results. Use <see cref="LongCountAsync(CancellationToken)"/>.
    /// </exception>
    public async Task<int> CountAsync(CancellationToken cancellationToken = default) =>
        checked((int)await Operator.CountAsync(cancellationToken).ConfigureAwait(false));

    /// <summary>Returns the number of results for which the predicate is true.</summary>
    public Task<int> CountAsync(Expression<Func<T, bool>> predicate, CancellationToken cancellationToken = default) =>
        Where(predicate).CountAsync(cancellationToken);

    /// <summary>Returns the number of results.</summary>
    public async Task<long> LongCountAsync(CancellationToken cancellationToken = default) =>
        await Operator.CountAsync(cancellationToken).ConfigureAwait(false);

    /// <summary>Returns the number of results for which the predicate is true.</summary>
    public Task<long> LongCountAsync(Expression<Func<T, bool>> predicate, CancellationToken cancellationToken = default) =>
        Where(predicate).LongCountAsync(cancellationToken);

    internal static InvalidOperationException NoResults() =>
        new("The query has no result. If that can happen, use an operator such as FirstOrDefaultAsync or SingleOrDefaultAsync.");

    static InvalidOperationException ManyResults() =>
        new("The query has more than one result, but a single one is expected. To get the first of several, use FirstAsync.");
}
