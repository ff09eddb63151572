using System.Diagnostics.CodeAnalysis;
using System.Linq.Expressions;
using System.Runtime.CompilerServices;
using Datacake.Data.Querying.Provider;

namespace Datacake.Data;

/// <summary>
/// Extension methods that include related entities in the results of an <see cref="IQueryable{T}"/>, as <see cref="QueryInclusion"/> does
/// in those of a query.
/// </summary>
[RequiresDynamicCode(QueryTranslator.Requirement), RequiresUnreferencedCode(QueryTranslator.Requirement)]
public static class QueryableInclusion
{
    /// <inheritdoc cref="QueryInclusion.Include{T, TRelated}(Query{T}, Expression{Func{T, TRelated}})"/>
    /// <param name="source">A query for entities of a keyspace.</param>
    /// <param name="navigation">The navigation property, which must have a relation in the model.</param>
    public static IIncludingQueryable<T, TRelated> Include<T, TRelated>(this IQueryable<T> source, Expression<Func<T, TRelated?>> navigation)
        where T : class
        where TRelated : class => new IncludingQueryable<T, TRelated>(QueryableExecution.Of(source).Include(navigation));

    /// <inheritdoc cref="QueryInclusion.Include{T, TRelated}(Query{T}, Expression{Func{T, IEnumerable{TRelated}}})"/>
    /// <param name="source">A query for entities of a keyspace.</param>
    /// <param name="navigation">The collection, which must have a relation in the model.</param>
    [OverloadResolutionPriority(1)]
    public static IIncludingQueryable<T, TRelated> Include<T, TRelated>(this IQueryable<T> source, Expression<Func<T, IEnumerable<TRelated>?>> navigation)
        where T : class
        where TRelated : class => new IncludingQueryable<T, TRelated>(QueryableExecution.Of(source).Include(navigation));

    /// <summary>Includes the entity that each of the entities included last refers to.</summary>
    /// <param name="source">A query that includes related entities.</param>
    /// <param name="navigation">The navigation property, which must have a relation in the model.</param>
    /// <exception cref="InvalidOperationException">
    /// The model has no relation for the property, or the queryable is not a Datacake query.
    /// </exception>
    public static IIncludingQueryable<T, TNext> ThenInclude<T, TRelated, TNext>(this IIncludingQueryable<T, TRelated> source, Expression<Func<TRelated, TNext?>> navigation)
        where T : class
        where TRelated : class
        where TNext : class => new IncludingQueryable<T, TNext>(Of(source).ThenInclude(navigation));

    /// <summary>Includes all or some of the entities that refer to each of the entities included last.</summary>
    /// <param name="source">A query that includes related entities.</param>
    /// <param name="navigation">The collection, which must have a relation in the model.</param>
    /// <exception cref="InvalidOperationException">
    /// The model has no relation for the collection, or the queryable is not a Datacake query.
    /// </exception>
    [OverloadResolutionPriority(1)]
    public static IIncludingQueryable<T, TNext> ThenInclude<T, TRelated, TNext>(
        this IIncludingQueryable<T, TRelated> source, Expression<Func<TRelated, IEnumerable<TNext>?>> navigation)
        where T : class
        where TRelated : class
        where TNext : class => new IncludingQueryable<T, TNext>(Of(source).ThenInclude(navigation));

    static IncludingQuery<T, TRelated> Of<T, TRelated>(IIncludingQueryable<T, TRelated> source)
        where T : class
        where TRelated : class
    {
        ArgumentNullException.ThrowIfNull(source);
        return source is IncludingQueryable<T, TRelated> query
            ? query.Including
            : throw new InvalidOperationException(
                $"The queryable is not a Datacake query, but of type {source.GetType().Name}. Start from AsQueryable() of a keyspace or query.");
    }
}
