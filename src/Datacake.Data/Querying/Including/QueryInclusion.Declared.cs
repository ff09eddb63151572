using System.ComponentModel;
using System.Linq.Expressions;
using System.Runtime.CompilerServices;
using Datacake.Data.Querying;
using Datacake.Data.Querying.Including;

namespace Datacake.Data;

// The navigations of the model, which need no foreign key here.
public static partial class QueryInclusion
{
    /// <summary>
    /// Includes the entity that each result refers to: <c>db.Orders.Include(o => o.Customer)</c>. It is tracked if the results are. A path
    /// includes all entities along it: <c>o => o.Customer!.Country</c>.
    /// </summary>
    /// <param name="query">A query for entities of a keyspace.</param>
    /// <param name="navigation">The navigation. The model must have a relation for it.</param>
    /// <exception cref="InvalidOperationException">
    /// The model has no relation for the property, or the query does not return entities.
    /// </exception>
    /// <exception cref="ArgumentException">The expression is not a property.</exception>
    public static IncludingQuery<T, TRelated> Include<T, TRelated>(this Query<T> query, Expression<Func<T, TRelated?>> navigation)
        where T : class
        where TRelated : class => IncludeDeclared<T, TRelated>(query, navigation);

    /// <summary>
    /// Includes the entities that refer to each result: <c>db.Customers.Include(c => c.Orders)</c>, or some of them:
    /// <c>c => c.Orders.Where(o => o.IsOpen).OrderByDescending(o => o.Date).Take(3)</c>. They are tracked if the results are. They replace
    /// the content of the collection, except for entities that were added to the collection of a tracked entity and are not saved yet.
    /// </summary>
    /// <param name="query">A query for entities of a keyspace.</param>
    /// <param name="navigation">The collection. The model must have a relation for it.</param>
    /// <exception cref="InvalidOperationException">
    /// The model has no relation for the collection, or the query does not return entities.
    /// </exception>
    /// <exception cref="ArgumentException">The expression is not a property, or filters it in an unsupported way.</exception>
    [OverloadResolutionPriority(1)]
    public static IncludingQuery<T, TRelated> Include<T, TRelated>(this Query<T> query, Expression<Func<T, IEnumerable<TRelated>?>> navigation)
        where T : class
        where TRelated : class => IncludeDeclared<T, TRelated>(query, navigation);

    /// <summary>Includes the entity that each entity of the previous inclusion refers to.</summary>
    /// <param name="query">A query that includes related entities.</param>
    /// <param name="navigation">The navigation. The model must have a relation for it.</param>
    /// <exception cref="InvalidOperationException">The model has no relation for the property.</exception>
    /// <exception cref="ArgumentException">The expression is not a property.</exception>
    public static IncludingQuery<T, TNext> ThenInclude<T, TRelated, TNext>(
        this IncludingQuery<T, TRelated> query, Expression<Func<TRelated, TNext?>> navigation)
        where T : class
        where TRelated : class
        where TNext : class
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentNullException.ThrowIfNull(navigation);
        return query.ThenIncluding<TNext>(navigation);
    }

    /// <summary>Includes the entities, all or some, that refer to each entity of the previous inclusion.</summary>
    /// <param name="query">A query that includes related entities.</param>
    /// <param name="navigation">The collection. The model must have a relation for it.</param>
    /// <exception cref="InvalidOperationException">The model has no relation for the collection.</exception>
    /// <exception cref="ArgumentException">The expression is not a property, or filters it in an unsupported way.</exception>
    [OverloadResolutionPriority(1)]
    public static IncludingQuery<T, TNext> ThenInclude<T, TRelated, TNext>(
        this IncludingQuery<T, TRelated> query, Expression<Func<TRelated, IEnumerable<TNext>?>> navigation)
        where T : class
        where TRelated : class
        where TNext : class
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentNullException.ThrowIfNull(navigation);
        return query.ThenIncluding<TNext>(navigation);
    }

    /// <summary>Not supported. Name the property in an expression.</summary>
    [Obsolete("Name the property in an expression: Include(o => o.Customer).ThenInclude(c => c.Country).", error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public static Query<T> Include<T>(this Query<T> query, string navigationPropertyPath)
        where T : class => throw new NotSupportedException($"Names in strings are not supported. Name '{navigationPropertyPath}' in an expression.");

    static IncludingQuery<T, TRelated> IncludeDeclared<T, TRelated>(Query<T> query, LambdaExpression navigation)
        where T : class
        where TRelated : class
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentNullException.ThrowIfNull(navigation);
        var source = SourceOf(query);
        var path = IncludePathParser.Read<TRelated>(source.Context.Model, source.Model, navigation, out var filter);
        Inclusion<T> With(Inclusion<TRelated>? last) => PathInclusion<T, TRelated>.Of(path, filter, last);
        return new(query.Operator.Include(With(null)), With);
    }
}
