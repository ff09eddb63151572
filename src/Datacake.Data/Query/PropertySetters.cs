using System.Linq.Expressions;
using Datacake.Data.Metadata;
using Datacake.Data.Querying;

namespace Datacake.Data;

/// <summary>Takes what an <c>ExecuteUpdateAsync</c> sets. Not thread-safe.</summary>
public sealed class PropertySetters<T>
{
    readonly EntityModel _model;
    readonly List<(Action<object, object?> Set, Func<T, object?> Value)> _setters = [];

    internal PropertySetters(EntityModel model) => _model = model;

    internal int Count => _setters.Count;

    /// <summary>Sets a property to a value: <c>s.SetProperty(p => p.Price, 10m)</c>.</summary>
    /// <exception cref="ArgumentException">The expression is not a mapped property that can be set.</exception>
    public PropertySetters<T> SetProperty<TProperty>(Expression<Func<T, TProperty>> property, TProperty value)
    {
        _setters.Add((SetterOf(property), _ => value));
        return this;
    }

    /// <summary>Sets a property to what a function makes of the entity as it was: <c>s.SetProperty(p => p.Price, p => p.Price * 2)</c>.</summary>
    /// <exception cref="ArgumentException">The expression is not a mapped property that can be set.</exception>
    public PropertySetters<T> SetProperty<TProperty>(Expression<Func<T, TProperty>> property, Func<T, TProperty> value)
    {
        ArgumentNullException.ThrowIfNull(value);
        _setters.Add((SetterOf(property), entity => value(entity)));
        return this;
    }

    /// <summary>Works out all values before it sets the first one.</summary>
    internal void Apply(object entity)
    {
        object?[] values = [.. _setters.Select(setter => setter.Value((T)entity))];
        for (int i = 0; i < values.Length; i++)
            _setters[i].Set(entity, values[i]);
    }

    Action<object, object?> SetterOf(LambdaExpression property)
    {
        ArgumentNullException.ThrowIfNull(property);
        var known = PropertyPath.Of(property.Body, property.Parameters[0]) is { } path ? _model.FindProperty(path) : null;
        return known is { Setter: { } setter, Kind: not PropertyKind.Key }
            ? setter
            : throw new ArgumentException(
                $"'{property.Body}' is not a mapped property of {_model.Name} that can be set. Write p => p.Price, or p => p.Address.City.",
                nameof(property));
    }
}
