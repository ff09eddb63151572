using System.Linq.Expressions;
using Datacake.Data.Querying;
using Datacake.Data.Querying.Including;

namespace Datacake.Data;

/// <summary>Extension methods that include related entities in the results of a query.</summary>
public static partial class QueryInclusion
{
    /// <summary>
    /// Includes the entity that each result refers to: <c>db.Orders.Include(o => o.Customer, o => o.CustomerId)</c>. The entities are
    /// looked up by their keys, a batch of results at a time, and are tracked if the results are. The property is set to null if there is
    /// none.
    /// </summary>
    /// <param name="query">A query for entities of a keyspace.</param>
    /// <param name="navigation">
    /// The property that receives the related entity. Mark it with <c>[Ignore]</c>: only the key is stored.
    /// </param>
    /// <param name="foreignKey">The property that holds the key of the related entity.</param>
    /// <exception cref="ArgumentException">The first expression is not a property with a setter.</exception>
    /// <exception cref="InvalidOperationException">The query does not return entities. It may be a projection.</exception>
    public static IncludingQuery<T, TRelated> Include<T, TRelated, TKey>(
        this Query<T> query, Expression<Func<T, TRelated?>> navigation, Expression<Func<T, TKey>> foreignKey)
        where T : class
        where TRelated : class
    {
        ArgumentNullException.ThrowIfNull(query);
        return query.Including(model => new ReferenceInclusion<T, TRelated, TKey>(model, navigation, foreignKey));
    }

    /// <summary>
    /// Includes the entities that refer to each result: <c>db.Customers.IncludeMany(c => c.Orders, o => o.CustomerId)</c>. They are found
    /// by one query for each batch of results, which an index on the foreign key speeds up, and are tracked if the results are. They
    /// replace the content of the collection, in the order of their keys.
    /// </summary>
    /// <param name="query">A query for entities of a keyspace, whose key is one property.</param>
    /// <param name="navigation">The collection that receives the related entities. Mark it with <c>[Ignore]</c>.</param>
    /// <param name="foreignKey">The property of the related entities that holds the key of the result.</param>
    /// <exception cref="InvalidOperationException">
    /// The query does not return entities (it may be a projection), or the key has several properties or a different type.
    /// </exception>
    public static IncludingQuery<T, TRelated> IncludeMany<T, TRelated, TKey>(
        this Query<T> query, Expression<Func<T, ICollection<TRelated>?>> navigation, Expression<Func<TRelated, TKey>> foreignKey)
        where T : class
        where TRelated : class
    {
        ArgumentNullException.ThrowIfNull(query);
        return query.Including(model => new CollectionInclusion<T, TRelated, TKey>(model, navigation, foreignKey));
    }

    /// <summary>
    /// Includes the entity that each entity of the previous inclusion refers to:
    /// <c>db.Orders.Include(o => o.Customer, o => o.CustomerId).ThenInclude(c => c.Country, c => c.CountryId)</c>. To include several,
    /// repeat the first inclusion: entities that are included twice are loaded once.
    /// </summary>
    /// <param name="query">A query that includes related entities.</param>
    /// <param name="navigation">The property that receives the entity. Mark it with <c>[Ignore]</c>.</param>
    /// <param name="foreignKey">The property that holds the key of the entity.</param>
    /// <exception cref="ArgumentException">The first expression is not a property with a setter.</exception>
    public static IncludingQuery<T, TNext> ThenInclude<T, TRelated, TNext, TKey>(
        this IncludingQuery<T, TRelated> query, Expression<Func<TRelated, TNext?>> navigation, Expression<Func<TRelated, TKey>> foreignKey)
        where T : class
        where TRelated : class
        where TNext : class
    {
        ArgumentNullException.ThrowIfNull(query);
        return query.ThenIncluding(model => new ReferenceInclusion<TRelated, TNext, TKey>(model, navigation, foreignKey));
    }

    /// <summary>
    /// Includes the entities that refer to each entity of the previous inclusion, as <c>IncludeMany</c> does for the results.
    /// </summary>
    /// <param name="query">A query that includes related entities, whose key is one property.</param>
    /// <param name="navigation">The collection that receives the entities. Mark it with <c>[Ignore]</c>.</param>
    /// <param name="foreignKey">The property of the entities that holds the key of the entity they refer to.</param>
    /// <exception cref="InvalidOperationException">The key has several properties or a different type.</exception>
    public static IncludingQuery<T, TNext> ThenIncludeMany<T, TRelated, TNext, TKey>(
        this IncludingQuery<T, TRelated> query, Expression<Func<TRelated, ICollection<TNext>?>> navigation, Expression<Func<TNext, TKey>> foreignKey)
        where T : class
        where TRelated : class
        where TNext : class
    {
        ArgumentNullException.ThrowIfNull(query);
        return query.ThenIncluding(model => new CollectionInclusion<TRelated, TNext, TKey>(model, navigation, foreignKey));
    }

    static IncludingQuery<T, TRelated> Including<T, TRelated>(this Query<T> query, Func<EntityModel, Inclusion<T, TRelated>> include)
        where T : class
        where TRelated : class
    {
        var inclusion = include(SourceOf(query).Model);
        return new(query.Operator.Include(inclusion), inclusion.Then);
    }

    static QuerySource SourceOf<T>(Query<T> query) => query.Operator.Entities ?? throw query.Operator.NotIncludable();
}
