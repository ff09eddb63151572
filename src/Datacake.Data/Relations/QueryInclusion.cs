using System.Linq.Expressions;
using Datacake.Data.Metadata;
using Datacake.Data.Querying;

namespace Datacake.Data;

/// <summary>Brings related entities along with the results of a query.</summary>
public static partial class QueryInclusion
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
    public static IncludingQuery<T, TRelated> Include<T, TRelated, TKey>(
        this Query<T> query, Expression<Func<T, TRelated?>> navigation, Expression<Func<T, TKey>> foreignKey)
        where T : class
        where TRelated : class
    {
        ArgumentNullException.ThrowIfNull(query);
        return query.Including(model => new ReferenceInclusion<T, TRelated, TKey>(model, navigation, foreignKey));
    }

    /// <summary>
    /// Brings the entities that refer to each result: <c>db.Customers.IncludeMany(c => c.Orders, o => o.CustomerId)</c>. They are found by one
    /// query for each batch of results, which an index on the second property speeds up, and are tracked if the results are. They replace
    /// what is in the collection, in the order of their keys.
    /// </summary>
    /// <param name="query">A query for entities of a keyspace, whose key is one property.</param>
    /// <param name="navigation">The collection that takes the related entities; it is marked with <c>[Ignore]</c>.</param>
    /// <param name="foreignKey">The property of the related entities that holds the result's key.</param>
    /// <exception cref="InvalidOperationException">
    /// The query is not one for entities, but a projection or the like; or the key has several properties or another type.
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
    /// Brings the entity that each of those refers to which were included last:
    /// <c>db.Orders.Include(o => o.Customer, o => o.CustomerId).ThenInclude(c => c.Country, c => c.CountryId)</c>. To bring several, include the first
    /// ones again: what is named twice is loaded once.
    /// </summary>
    /// <param name="query">A query that includes related entities.</param>
    /// <param name="navigation">The property that takes the entity; it is marked with <c>[Ignore]</c>.</param>
    /// <param name="foreignKey">The property that holds its key.</param>
    /// <exception cref="ArgumentException">The first expression is not a property that can be set.</exception>
    public static IncludingQuery<T, TNext> ThenInclude<T, TRelated, TNext, TKey>(
        this IncludingQuery<T, TRelated> query, Expression<Func<TRelated, TNext?>> navigation, Expression<Func<TRelated, TKey>> foreignKey)
        where T : class
        where TRelated : class
        where TNext : class
    {
        ArgumentNullException.ThrowIfNull(query);
        return query.ThenIncluding(model => new ReferenceInclusion<TRelated, TNext, TKey>(model, navigation, foreignKey));
    }

    /// <summary>Brings the entities that refer to each of those which were included last, as <c>IncludeMany</c> does for the results.</summary>
    /// <param name="query">A query that includes related entities, whose key is one property.</param>
    /// <param name="navigation">The collection that takes the entities; it is marked with <c>[Ignore]</c>.</param>
    /// <param name="foreignKey">The property of the entities that holds the key of those they refer to.</param>
    /// <exception cref="InvalidOperationException">The key has several properties or another type.</exception>
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
        var source = SourceOf(query);
        var inclusion = include(source.Model);
        return query.Including<T, TRelated>(source, inclusion, inclusion.Then);
    }

    static IncludingQuery<T, TRelated> Including<T, TRelated>(
        this Query<T> query, QuerySource source, Inclusion<T> inclusion, Func<Inclusion<TRelated>, Inclusion<T>> further)
        where T : class
        where TRelated : class => query is IIncludingQuery<T> including
            ? including.Including(inclusion, further)
            : new IncludingQuery<T, TRelated>(query, source, [inclusion], further);

    static QuerySource SourceOf<T>(Query<T> query) => query.Source ?? throw new InvalidOperationException(
        $"Only a query for the entities of a keyspace can include others; this is '{query}'. Call Include before Select, Distinct, "
        + "and conditions on what is included.");
}
