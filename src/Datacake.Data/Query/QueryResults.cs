using System.Linq.Expressions;
using Datacake.Data.Querying;

namespace Datacake.Data;

public abstract partial class Query<T>
{
    /// <summary>All results.</summary>
    public Task<List<T>> ToListAsync(CancellationToken cancellationToken = default) => ToListCore(cancellationToken);

    /// <summary>All results.</summary>
    public async Task<T[]> ToArrayAsync(CancellationToken cancellationToken = default) =>
        [.. await ToListAsync(cancellationToken).ConfigureAwait(false)];

    /// <summary>All results by a key.</summary>
    /// <exception cref="ArgumentException">Two have the same key.</exception>
    public async Task<Dictionary<TKey, T>> ToDictionaryAsync<TKey>(Func<T, TKey> keySelector, CancellationToken cancellationToken = default)
        where TKey : notnull => (await ToListAsync(cancellationToken).ConfigureAwait(false)).ToDictionary(keySelector);

    /// <summary>What a selector makes of all results, by a key.</summary>
    /// <exception cref="ArgumentException">Two have the same key.</exception>
    public async Task<Dictionary<TKey, TElement>> ToDictionaryAsync<TKey, TElement>(
        Func<T, TKey> keySelector, Func<T, TElement> elementSelector, CancellationToken cancellationToken = default)
        where TKey : notnull => (await ToListAsync(cancellationToken).ConfigureAwait(false)).ToDictionary(keySelector, elementSelector);

    /// <summary>The first result.</summary>
    /// <exception cref="InvalidOperationException">There is none.</exception>
    public async Task<T> FirstAsync(CancellationToken cancellationToken = default) =>
        await Take(1).ToListAsync(cancellationToken).ConfigureAwait(false) is [var first] ? first : throw NoResults();

    /// <summary>The first result for which the predicate is true.</summary>
    /// <exception cref="InvalidOperationException">There is none.</exception>
    public Task<T> FirstAsync(Expression<Func<T, bool>> predicate, CancellationToken cancellationToken = default) =>
        Where(predicate).FirstAsync(cancellationToken);

    /// <summary>The first result, or the type's default if there is none.</summary>
    public async Task<T?> FirstOrDefaultAsync(CancellationToken cancellationToken = default) =>
        await Take(1).ToListAsync(cancellationToken).ConfigureAwait(false) is [var first] ? first : default;

    /// <summary>The first result for which the predicate is true, or the type's default if there is none.</summary>
    public Task<T?> FirstOrDefaultAsync(Expression<Func<T, bool>> predicate, CancellationToken cancellationToken = default) =>
        Where(predicate).FirstOrDefaultAsync(cancellationToken);

    /// <summary>Returns the last result. An order that a key or an index has is read from its end.</summary>
    /// <exception cref="InvalidOperationException">There is none.</exception>
    public async Task<T> LastAsync(CancellationToken cancellationToken = default) =>
        await ReverseCore().TakeCore(1).ToListAsync(cancellationToken).ConfigureAwait(false) is [var last] ? last : throw NoResults();

    /// <summary>Returns the last result, or the type's default if there is none. An order that a key or an index has is read from its end.</summary>
    public async Task<T?> LastOrDefaultAsync(CancellationToken cancellationToken = default) =>
        await ReverseCore().TakeCore(1).ToListAsync(cancellationToken).ConfigureAwait(false) is [var last] ? last : default;

    /// <summary>The only result.</summary>
    /// <exception cref="InvalidOperationException">There is none, or more than one.</exception>
    public async Task<T> SingleAsync(CancellationToken cancellationToken = default) =>
        await Take(2).ToListAsync(cancellationToken).ConfigureAwait(false) switch
        {
            [var single] => single,
            [] => throw NoResults(),
            _ => throw ManyResults(),
        };

    /// <summary>The only result for which the predicate is true.</summary>
    /// <exception cref="InvalidOperationException">There is none, or more than one.</exception>
    public Task<T> SingleAsync(Expression<Func<T, bool>> predicate, CancellationToken cancellationToken = default) =>
        Where(predicate).SingleAsync(cancellationToken);

    /// <summary>The only result, or the type's default if there is none.</summary>
    /// <exception cref="InvalidOperationException">There is more than one.</exception>
    public async Task<T?> SingleOrDefaultAsync(CancellationToken cancellationToken = default) =>
        await Take(2).ToListAsync(cancellationToken).ConfigureAwait(false) switch
        {
            [var single] => single,
            [] => default,
            _ => throw ManyResults(),
        };

    /// <summary>The only result for which the predicate is true, or the type's default if there is none.</summary>
    /// <exception cref="InvalidOperationException">There is more than one.</exception>
    public Task<T?> SingleOrDefaultAsync(Expression<Func<T, bool>> predicate, CancellationToken cancellationToken = default) =>
        Where(predicate).SingleOrDefaultAsync(cancellationToken);

    /// <summary>Whether there is any result.</summary>
    public Task<bool> AnyAsync(CancellationToken cancellationToken = default) => AnyCore(cancellationToken);

    /// <summary>Whether the predicate is true for any result.</summary>
    public Task<bool> AnyAsync(Expression<Func<T, bool>> predicate, CancellationToken cancellationToken = default) =>
        Where(predicate).AnyAsync(cancellationToken);

    /// <summary>Whether the predicate is true for all results.</summary>
    public async Task<bool> AllAsync(Expression<Func<T, bool>> predicate, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(predicate);
        var opposite = Expression.Lambda<Func<T, bool>>(Expression.Not(predicate.Body), predicate.Parameters);
        return !await Where(opposite).AnyAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>How many results there are.</summary>
    /// <exception cref="OverflowException">
    /// There are more than two billion; use <see cref="LongCountAsync(CancellationToken)"/>.
    /// </exception>
    public async Task<int> CountAsync(CancellationToken cancellationToken = default) =>
        checked((int)await CountCoreAsync(cancellationToken).ConfigureAwait(false));

    /// <summary>For how many results the predicate is true.</summary>
    public Task<int> CountAsync(Expression<Func<T, bool>> predicate, CancellationToken cancellationToken = default) =>
        Where(predicate).CountAsync(cancellationToken);

    /// <summary>How many results there are.</summary>
    public async Task<long> LongCountAsync(CancellationToken cancellationToken = default) =>
        await CountCoreAsync(cancellationToken).ConfigureAwait(false);

    /// <summary>For how many results the predicate is true.</summary>
    public Task<long> LongCountAsync(Expression<Func<T, bool>> predicate, CancellationToken cancellationToken = default) =>
        Where(predicate).LongCountAsync(cancellationToken);

    static InvalidOperationException NoResults() =>
        new("The query has no result; use FirstOrDefaultAsync or SingleOrDefaultAsync where that is expected.");

    static InvalidOperationException ManyResults() => new("The query has more than one result, where a single one was asked for.");
}
