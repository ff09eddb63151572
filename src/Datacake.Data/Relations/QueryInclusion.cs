using System.Linq.Expressions;
using Datacake.Data.Querying;

namespace Datacake.Data;

/// <summary>Brings related entities along with the results of a query.</summary>
public static class QueryInclusion
{
    /// <summary>
    /// Brings the entity that each result refers to: <c>db.Orders.Include(o => o.Customer, o => o.CustomerId)</c>. They are looked up by their
    /// keys, a batch of results at a time, and are tracked if the results are. The property is null if there is none.
    /// </summary>
    /// <param name="query">A query for entities of a keyspace.</param>
    /// <param name="navigation">The property that takes the related entity; it is marked with <c>[Ignore]</c>, for only the key is stored.</param>
    /// <param name="foreignKey">The property that holds its key.</param>
    /// <exception cref="ArgumentException">The first expression is not a property that can be set.</exception>
    /// <exception cref="InvalidOperationException">The query is not one for entities, but a projection or the like.</exception>
    public static OrderedQuery<T> Include<T, TRelated, TKey>(
        this Query<T> query, Expression<Func<T, TRelated?>> navigation, Expression<Func<T, TKey>> foreignKey)
        where T : class
        where TRelated : class
    {
        ArgumentNullException.ThrowIfNull(query);
        return query.Including(keyspace => new ReferenceInclusion<T, TRelated, TKey>(keyspace, navigation, foreignKey));
    }

    /// <summary>
    /// Brings the entities that refer to each result: <c>db.Customers.IncludeMany(c => c.Orders, o => o.CustomerId)</c>. They are found by one
    /// query for each batch of results, which an index on the second property speeds up, and are tracked if the results are. They replace
    /// what is in the collection, in the order of their keys.
    /// </summary>
    /// <param name="query">A query for entities of a keyspace, whose key is one property.</param>
    /// <param name="navigation">The collection that takes the related entities; it is marked with <c>[Ignore]</c>.</param>
    /// <param name="foreignKey">The property of the related entities that holds the result's key.</param>
    /// <exception cref="InvalidOperationException">The query is not one for entities, but a projection or the like.</exception>
    public static OrderedQuery<T> IncludeMany<T, TRelated, TKey>(
        this Query<T> query, Expression<Func<T, ICollection<TRelated>?>> navigation, Expression<Func<TRelated, TKey>> foreignKey)
        where T : class
        where TRelated : class
    {
        ArgumentNullException.ThrowIfNull(query);
        return query.Including(keyspace => new CollectionInclusion<T, TRelated, TKey>(keyspace, navigation, foreignKey));
    }

    static IncludingQuery<T> Including<T>(this Query<T> query, Func<Keyspace<T>, Inclusion<T>> inclusion)
        where T : class => query switch
        {
            IncludingQuery<T> including => including.With(inclusion(including.Source)),
            EntityQuery<T> entities => new IncludingQuery<T>(entities.Source, entities, [inclusion(entities.Source)], entities.IsTracking),
            Keyspace<T> keyspace => new IncludingQuery<T>(keyspace, keyspace, [inclusion(keyspace)], isTracking: true),
            _ => throw new InvalidOperationException(
                $"Only a query for the entities of a keyspace can include others; this is '{query}'. Call Include before Select and Distinct."),
        };
}
