using System.Linq.Expressions;
using Datacake.Data.Expressions;
using Datacake.Data.Querying.Including;

namespace Datacake.Data;

/// <summary>The state of one entity of class <typeparamref name="T"/> in a context.</summary>
public sealed class EntityEntry<T> : EntityEntry
    where T : class
{
    internal EntityEntry(ChangeTracker tracker, KeyspaceModel keyspace, T entity)
        : base(tracker, keyspace, entity)
    {
    }

    /// <summary>Gets the entity.</summary>
    public new T Entity => (T)base.Entity;

    /// <summary>Returns a property: <c>entry.Property(p => p.Price)</c>.</summary>
    /// <exception cref="ArgumentException">The expression does not name a mapped property.</exception>
    public PropertyEntry Property<TProperty>(Expression<Func<T, TProperty>> property) => Property(
        PropertyPath.Of(property.Body, property.Parameters[0])
            ?? throw new ArgumentException(
                $"'{property}' does not name a property. Write an expression such as p => p.Price or p => p.Address.City.", nameof(property)));

    /// <summary>Returns a reference to a related entity: <c>entry.Reference(o => o.Customer)</c>.</summary>
    /// <exception cref="InvalidOperationException">The model has no relation for the property.</exception>
    public ReferenceEntry<T, TRelated> Reference<TRelated>(Expression<Func<T, TRelated?>> navigation)
        where TRelated : class => new(this, NavigationOf(navigation, isCollection: false));

    /// <summary>Returns a collection of related entities: <c>entry.Collection(c => c.Orders)</c>.</summary>
    /// <exception cref="InvalidOperationException">The model has no relation for the property.</exception>
    public CollectionEntry<T, TRelated> Collection<TRelated>(Expression<Func<T, IEnumerable<TRelated>?>> navigation)
        where TRelated : class => new(this, NavigationOf(navigation, isCollection: true));

    NavigationModel NavigationOf(LambdaExpression expression, bool isCollection)
    {
        ArgumentNullException.ThrowIfNull(expression);
        string name = PropertyPath.Of(expression.Body, expression.Parameters[0])
            ?? throw new ArgumentException($"'{expression}' does not name a property. Write an expression such as o => o.Customer.", nameof(expression));
        var navigation = Keyspace.Entity.FindNavigation(name) ?? throw UndeclaredNavigation.NotIncludable(Keyspace.Entity, name);
        return navigation.IsCollection == isCollection
            ? navigation
            : throw new ArgumentException($"{name} {(isCollection ? "refers to one entity. Call Reference" : "is a collection. Call Collection")} instead.", nameof(expression));
    }
}
