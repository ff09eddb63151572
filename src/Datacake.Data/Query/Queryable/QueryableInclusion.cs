using System.Diagnostics.CodeAnalysis;
using System.Linq.Expressions;
using System.Runtime.CompilerServices;
using Datacake.Data.Querying;

namespace Datacake.Data;

/// <summary>Brings related entities with the results of an <see cref="IQueryable{T}"/>, as <see cref="QueryInclusion"/> does with those of a query.</summary>
[RequiresDynamicCode(QueryTranslator.Requirement), RequiresUnreferencedCode(QueryTranslator.Requirement)]
public static class QueryableInclusion
{
    /// <inheritdoc cref="QueryInclusion.Include{T, TRelated}(Query{T}, Expression{Func{T, TRelated}})"/>
    /// <param name="source">A query for entities of a keyspace.</param>
    /// <param name="navigation">The property, which the model has a relation for.</param>
    public static IIncludingQueryable<T, TRelated> Include<T, TRelated>(this IQueryable<T> source, Expression<Func<T, TRelated?>> navigation)
        where T : class
        where TRelated : class => new IncludingQueryable<T, TRelated>(QueryableExecution.Of(source).Include(navigation));

    /// <inheritdoc cref="QueryInclusion.Include{T, TRelated}(Query{T}, Expression{Func{T, IEnumerable{TRelated}}})"/>
    /// <param name="source">A query for entities of a keyspace.</param>
    /// <param name="navigation">The collection, which the model has a relation for.</param>
    [OverloadResolutionPriority(1)]
    public static IIncludingQueryable<T, TRelated> Include<T, TRelated>(this IQueryable<T> source, Expression<Func<T, IEnumerable<TRelated>?>> navigation)
        where T : class
        where TRelated : class => new IncludingQueryable<T, TRelated>(QueryableExecution.Of(source).Include(navigation));

    /// <summary>Brings the entity that each of those refers to which were included last.</summary>
    /// <param name="source">A query that includes related entities.</param>
    /// <param name="navigation">The property, which the model has a relation for.</param>
    /// <exception cref="InvalidOperationException">The model has no relation for the property, or the queryable is not one of Datacake.</exception>
    public static IIncludingQueryable<T, TNext> ThenInclude<T, TRelated, TNext>(this IIncludingQueryable<T, TRelated> source, Expression<Func<TRelated, TNext?>> navigation)
        where T : class
        where TRelated : class
        where TNext : class => new IncludingQueryable<T, TNext>(Of(source).ThenInclude(navigation));

    /// <summary>Brings the entities that refer to each of those which were included last, all or some of them.</summary>
    /// <param name="source">A query that includes related entities.</param>
    /// <param name="navigation">The collection, which the model has a relation for.</param>
    /// <exception cref="InvalidOperationException">The model has no relation for the collection, or the queryable is not one of Datacake.</exception>
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
            : throw new InvalidOperationException($"The queryable is not a query of Datacake, but a {source.GetType().Name}. Begin it with AsQueryable() of a keyspace or query.");
    }
}
