using System.Linq.Expressions;
using Datacake.Data.Metadata;
using Datacake.Data.Querying;

namespace Datacake.Data;

/// <summary>What a context knows of one entity of class <typeparamref name="T"/>.</summary>
public sealed class EntityEntry<T> : EntityEntry
    where T : class
{
    internal EntityEntry(ChangeTracker tracker, KeyspaceModel keyspace, T entity)
        : base(tracker, keyspace, entity)
    {
    }

    /// <summary>The entity.</summary>
    public new T Entity => (T)base.Entity;

    /// <summary>A property: <c>entry.Property(p => p.Price)</c>.</summary>
    /// <exception cref="ArgumentException">The expression is not a mapped property.</exception>
    public PropertyEntry Property<TProperty>(Expression<Func<T, TProperty>> property) => Property(
        PropertyPath.Of(property.Body, property.Parameters[0])
            ?? throw new ArgumentException(
                $"'{property}' does not name a property. Write p => p.Price, or p => p.Address.City.", nameof(property)));
}
