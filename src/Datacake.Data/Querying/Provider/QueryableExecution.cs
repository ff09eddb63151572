using System.Diagnostics.CodeAnalysis;
using System.Linq.Expressions;
using Datacake.Data.Querying.Provider;
using Datacake.EventualConsistency;

namespace Datacake.Data;

/// <summary>
/// Extension methods that run queries composed as <see cref="IQueryable{T}"/>, starting from <see cref="Query{T}.AsQueryable"/>.
/// </summary>
[RequiresDynamicCode(QueryTranslator.Requirement), RequiresUnreferencedCode(QueryTranslator.Requirement)]
public static partial class QueryableExecution
{
    /// <summary>Returns all results in a list.</summary>
    public static Task<List<T>> ToListAsync<T>(this IQueryable<T> source, CancellationToken cancellationToken = default) =>
        Of(source).ToListAsync(cancellationToken);

    /// <summary>Returns all results in an array.</summary>
    public static Task<T[]> ToArrayAsync<T>(this IQueryable<T> source, CancellationToken cancellationToken = default) =>
        Of(source).ToArrayAsync(cancellationToken);

    /// <summary>Returns all results in a set.</summary>
    public static Task<HashSet<T>> ToHashSetAsync<T>(this IQueryable<T> source, CancellationToken cancellationToken = default) =>
        Of(source).ToHashSetAsync(cancellationToken);

    /// <summary>Returns the results as an asynchronous stream.</summary>
    public static IAsyncEnumerable<T> AsAsyncEnumerable<T>(this IQueryable<T> source) =>
        Of(source).AsAsyncEnumerable();

    /// <summary>Returns the first result.</summary>
    /// <exception cref="InvalidOperationException">There is no result.</exception>
    public static Task<T> FirstAsync<T>(this IQueryable<T> source, CancellationToken cancellationToken = default) =>
        Of(source).FirstAsync(cancellationToken);

    /// <summary>Returns the first result for which the predicate is true.</summary>
    /// <exception cref="InvalidOperationException">There is no such result.</exception>
    public static Task<T> FirstAsync<T>(this IQueryable<T> source, Expression<Func<T, bool>> predicate, CancellationToken cancellationToken = default) =>
        Of(source).FirstAsync(predicate, cancellationToken);

    /// <summary>Returns the first result, or the type's default if there is none.</summary>
    public static Task<T?> FirstOrDefaultAsync<T>(this IQueryable<T> source, CancellationToken cancellationToken = default) =>
        Of(source).FirstOrDefaultAsync(cancellationToken);

    /// <summary>Returns the first result for which the predicate is true, or the type's default if there is none.</summary>
    public static Task<T?> FirstOrDefaultAsync<T>(this IQueryable<T> source, Expression<Func<T, bool>> predicate, CancellationToken cancellationToken = default) =>
        Of(source).FirstOrDefaultAsync(predicate, cancellationToken);

    /// <summary>Returns the last result.</summary>
    /// <exception cref="InvalidOperationException">There is no result.</exception>
    public static Task<T> LastAsync<T>(this IQueryable<T> source, CancellationToken cancellationToken = default) =>
        Of(source).LastAsync(cancellationToken);

    /// <summary>Returns the last result for which the predicate is true.</summary>
    /// <exception cref="InvalidOperationException">There is no such result.</exception>
    public static Task<T> LastAsync<T>(this IQueryable<T> source, Expression<Func<T, bool>> predicate, CancellationToken cancellationToken = default) =>
        Of(source).LastAsync(predicate, cancellationToken);

    /// <summary>Returns the last result, or the type's default if there is none.</summary>
    public static Task<T?> LastOrDefaultAsync<T>(this IQueryable<T> source, CancellationToken cancellationToken = default) =>
        Of(source).LastOrDefaultAsync(cancellationToken);

    /// <summary>Returns the last result for which the predicate is true, or the type's default if there is none.</summary>
    public static Task<T?> LastOrDefaultAsync<T>(this IQueryable<T> source, Expression<Func<T, bool>> predicate, CancellationToken cancellationToken = default) =>
        Of(source).LastOrDefaultAsync(predicate, cancellationToken);

    /// <summary>Returns the only result.</summary>
    /// <exception cref="InvalidOperationException">There is no result, or more than one.</exception>
    public static Task<T> SingleAsync<T>(this IQueryable<T> source, CancellationToken cancellationToken = default) =>
        Of(source).SingleAsync(cancellationToken);

    /// <summary>Returns the only result for which the predicate is true.</summary>
    /// <exception cref="InvalidOperationException">There is no such result, or more than one.</exception>
    public static Task<T> SingleAsync<T>(this IQueryable<T> source, Expression<Func<T, bool>> predicate, CancellationToken cancellationToken = default) =>
        Of(source).SingleAsync(predicate, cancellationToken);

    /// <summary>Returns the only result, or the type's default if there is none.</summary>
    /// <exception cref="InvalidOperationException">There is more than one result.</exception>
    public static Task<T?> SingleOrDefaultAsync<T>(this IQueryable<T> source, CancellationToken cancellationToken = default) =>
        Of(source).SingleOrDefaultAsync(cancellationToken);

    /// <summary>Returns the only result for which the predicate is true, or the type's default if there is none.</summary>
    /// <exception cref="InvalidOperationException">There is more than one such result.</exception>
    public static Task<T?> SingleOrDefaultAsync<T>(this IQueryable<T> source, Expression<Func<T, bool>> predicate, CancellationToken cancellationToken = default) =>
        Of(source).SingleOrDefaultAsync(predicate, cancellationToken);

    /// <summary>Returns the result at an index, counted from 0.</summary>
    public static Task<T> ElementAtAsync<T>(this IQueryable<T> source, int index, CancellationToken cancellationToken = default) =>
        Of(source).ElementAtAsync(index, cancellationToken);

    /// <summary>Returns the result at an index, counted from 0, or the type's default if there is none.</summary>
    public static Task<T?> ElementAtOrDefaultAsync<T>(this IQueryable<T> source, int index, CancellationToken cancellationToken = default) =>
        Of(source).ElementAtOrDefaultAsync(index, cancellationToken);

    /// <summary>Returns true if there is any result.</summary>
    public static Task<bool> AnyAsync<T>(this IQueryable<T> source, CancellationToken cancellationToken = default) =>
        Of(source).AnyAsync(cancellationToken);

    /// <summary>Returns true if the predicate is true for any result.</summary>
    public static Task<bool> AnyAsync<T>(this IQueryable<T> source, Expression<Func<T, bool>> predicate, CancellationToken cancellationToken = default) =>
        Of(source).AnyAsync(predicate, cancellationToken);

    /// <summary>Returns true if the predicate is true for all results.</summary>
    public static Task<bool> AllAsync<T>(this IQueryable<T> source, Expression<Func<T, bool>> predicate, CancellationToken cancellationToken = default) =>
        Of(source).AllAsync(predicate, cancellationToken);

    /// <summary>Returns true if an item is among the results.</summary>
    public static Task<bool> ContainsAsync<T>(this IQueryable<T> source, T item, CancellationToken cancellationToken = default) =>
        Of(source).ContainsAsync(item, cancellationToken);

    /// <summary>Returns the number of results.</summary>
    public static Task<int> CountAsync<T>(this IQueryable<T> source, CancellationToken cancellationToken = default) =>
        Of(source).CountAsync(cancellationToken);

    /// <summary>Returns the number of results for which the predicate is true.</summary>
    public static Task<int> CountAsync<T>(this IQueryable<T> source, Expression<Func<T, bool>> predicate, CancellationToken cancellationToken = default) =>
        Of(source).CountAsync(predicate, cancellationToken);

    /// <summary>Returns the number of results.</summary>
    public static Task<long> LongCountAsync<T>(this IQueryable<T> source, CancellationToken cancellationToken = default) =>
        Of(source).LongCountAsync(cancellationToken);

    /// <summary>Returns the number of results for which the predicate is true.</summary>
    public static Task<long> LongCountAsync<T>(this IQueryable<T> source, Expression<Func<T, bool>> predicate, CancellationToken cancellationToken = default) =>
        Of(source).LongCountAsync(predicate, cancellationToken);

    /// <summary>Returns the smallest result, or null if there is no result other than null. Strings compare ordinally.</summary>
    public static Task<T?> MinAsync<T>(this IQueryable<T> source, CancellationToken cancellationToken = default) =>
        Of(source).MinAsync(cancellationToken);

    /// <summary>Returns the greatest result, or null if there is no result other than null. Strings compare ordinally.</summary>
    public static Task<T?> MaxAsync<T>(this IQueryable<T> source, CancellationToken cancellationToken = default) =>
        Of(source).MaxAsync(cancellationToken);

    /// <summary>Reads all results, so that the context tracks them.</summary>
    public static Task LoadAsync<T>(this IQueryable<T> source, CancellationToken cancellationToken = default) =>
        Of(source).LoadAsync(cancellationToken);

    /// <summary>Calls an action for each result.</summary>
    public static Task ForEachAsync<T>(this IQueryable<T> source, Action<T> action, CancellationToken cancellationToken = default) =>
        Of(source).ForEachAsync(action, cancellationToken);

    /// <summary>Returns the smallest value, or null if there is no value other than null. Strings compare ordinally.</summary>
    /// <exception cref="InvalidOperationException">There are no results, and the type cannot be null.</exception>
    public static Task<TResult?> MinAsync<T, TResult>(
        this IQueryable<T> source, Expression<Func<T, TResult>> selector, CancellationToken cancellationToken = default) =>
        Of(source).MinAsync(selector, cancellationToken);

    /// <summary>Returns the greatest value, or null if there is no value other than null. Strings compare ordinally.</summary>
    /// <exception cref="InvalidOperationException">There are no results, and the type cannot be null.</exception>
    public static Task<TResult?> MaxAsync<T, TResult>(
        this IQueryable<T> source, Expression<Func<T, TResult>> selector, CancellationToken cancellationToken = default) =>
        Of(source).MaxAsync(selector, cancellationToken);

    /// <summary>Returns all results in a dictionary.</summary>
    /// <exception cref="ArgumentException">Two results have the same key.</exception>
    public static Task<Dictionary<TKey, T>> ToDictionaryAsync<T, TKey>(this IQueryable<T> source, Func<T, TKey> keySelector, CancellationToken cancellationToken = default)
        where TKey : notnull => Of(source).ToDictionaryAsync(keySelector, cancellationToken);

    /// <summary>Returns a projection of all results in a dictionary.</summary>
    /// <exception cref="ArgumentException">Two results have the same key.</exception>
    public static Task<Dictionary<TKey, TElement>> ToDictionaryAsync<T, TKey, TElement>(
        this IQueryable<T> source, Func<T, TKey> keySelector, Func<T, TElement> elementSelector, CancellationToken cancellationToken = default)
        where TKey : notnull => Of(source).ToDictionaryAsync(keySelector, elementSelector, cancellationToken);

    /// <summary>
    /// Returns a query whose entities the context does not track. They are read faster, and changes to them are not saved.
    /// </summary>
    public static IQueryable<T> AsNoTracking<T>(this IQueryable<T> source) => new QueryableQuery<T>(Of(source).AsNoTracking());

    /// <summary>
    /// Returns a query whose entities the context tracks, regardless of <see cref="ChangeTracker.QueryTrackingBehavior"/>.
    /// </summary>
    public static IQueryable<T> AsTracking<T>(this IQueryable<T> source) => new QueryableQuery<T>(Of(source).AsTracking());

    /// <summary>Returns the query without the filters that the model defines for its entities and for included ones.</summary>
    public static IQueryable<T> IgnoreQueryFilters<T>(this IQueryable<T> source) => new QueryableQuery<T>(Of(source).IgnoreQueryFilters());

    /// <summary>
    /// Returns the query with a tag that is shown by <c>Explain</c>, by interceptors, and by the warning about queries that read many
    /// documents.
    /// </summary>
    public static IQueryable<T> TagWith<T>(this IQueryable<T> source, string tag) => new QueryableQuery<T>(Of(source).TagWith(tag));

    /// <summary>Returns a description of how the query finds its results.</summary>
    public static string Explain<T>(this IQueryable<T> source) => Of(source).Explain();

    /// <summary>
    /// Returns the query with a consistency level. Before it reads, the query waits until this node has caught up with as many nodes as the
    /// level requires.
    /// </summary>
    public static IQueryable<T> WithConsistency<T>(this IQueryable<T> source, Consistency consistency) => new QueryableQuery<T>(Of(source).WithConsistency(consistency));

    /// <inheritdoc cref="Query{T}.ExecuteUpdateAsync(Action{PropertySetters{T}}, CancellationToken)"/>
    public static Task<SaveResult> ExecuteUpdateAsync<T>(this IQueryable<T> source, Action<PropertySetters<T>> setProperties, CancellationToken cancellationToken = default) =>
        Of(source).ExecuteUpdateAsync(setProperties, cancellationToken);

    /// <inheritdoc cref="Query{T}.ExecuteDeleteAsync(CancellationToken)"/>
    public static Task<SaveResult> ExecuteDeleteAsync<T>(this IQueryable<T> source, CancellationToken cancellationToken = default) =>
        Of(source).ExecuteDeleteAsync(cancellationToken);

    /// <inheritdoc cref="Query{T}.ExecuteUpdateAsync(Action{PropertySetters{T}}, BulkOptions, CancellationToken)"/>
    public static Task<SaveResult> ExecuteUpdateAsync<T>(
        this IQueryable<T> source, Action<PropertySetters<T>> setProperties, BulkOptions options, CancellationToken cancellationToken = default) =>
        Of(source).ExecuteUpdateAsync(setProperties, options, cancellationToken);

    /// <inheritdoc cref="Query{T}.ExecuteDeleteAsync(BulkOptions, CancellationToken)"/>
    public static Task<SaveResult> ExecuteDeleteAsync<T>(this IQueryable<T> source, BulkOptions options, CancellationToken cancellationToken = default) =>
        Of(source).ExecuteDeleteAsync(options, cancellationToken);

    /// <summary>Returns the query that a queryable represents.</summary>
    internal static Query<T> Of<T>(IQueryable<T> source)
    {
        ArgumentNullException.ThrowIfNull(source);
        return source switch
        {
            QueryableQuery<T> query => query.Query,
            { Provider: QueryableProvider } => QueryableProvider.QueryOf<T>(source.Expression),
            _ => throw new InvalidOperationException(
                $"The queryable is not a Datacake query, but of type {source.GetType().Name}. Start from AsQueryable() of a keyspace or query."),
        };
    }
}
