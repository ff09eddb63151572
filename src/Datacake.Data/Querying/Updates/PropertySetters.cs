using System.Linq.Expressions;
using Datacake.Data.Expressions;
using Datacake.Data.Querying;
using Datacake.Data.Querying.Analysis;
using Datacake.Data.Querying.Related;

namespace Datacake.Data;

/// <summary>The properties that an <c>ExecuteUpdateAsync</c> sets, and their values. Not thread-safe.</summary>
public sealed class PropertySetters<T>
{
    readonly EntityModel _model;
    readonly List<(Action<object, object?> Set, Func<NavigationRoots, Func<T, object?>> ValueOf)> _setters = [];

    internal PropertySetters(EntityModel model) => _model = model;

    internal int Count => _setters.Count;

    /// <summary>Sets a property to a value: <c>s.SetProperty(p => p.Price, 10m)</c>.</summary>
    /// <exception cref="ArgumentException">The expression does not name a mapped property that can be set.</exception>
    public PropertySetters<T> SetProperty<TProperty>(Expression<Func<T, TProperty>> property, TProperty value)
    {
        _setters.Add((SetterOf(property), _ => _ => value));
        return this;
    }

    /// <summary>
    /// Sets a property to a value computed from the entity as it was before: <c>s.SetProperty(p => p.Price, p => p.Price * 2)</c>.
    /// </summary>
    /// <exception cref="ArgumentException">The expression does not name a mapped property that can be set.</exception>
    public PropertySetters<T> SetProperty<TProperty>(Expression<Func<T, TProperty>> property, Expression<Func<T, TProperty>> value)
    {
        ArgumentNullException.ThrowIfNull(value);
        _setters.Add((SetterOf(property), ValueOf));
        return this;

        Func<T, object?> ValueOf(NavigationRoots roots)
        {
            var valueOf = _model.Expressions.Compile(NavigationBinder.BindValue(roots, value));
            return entity => valueOf(entity);
        }
    }

    /// <summary>
    /// Returns an action that sets the properties of an entity, for which the related entities that the values use are loaded. All values
    /// are computed before the first one is set.
    /// </summary>
    internal Action<object> Bind(NavigationRoots roots)
    {
        var setters = _setters.ConvertAll(setter => (setter.Set, ValueOf: setter.ValueOf(roots)));
        return entity =>
        {
            object?[] values = [.. setters.Select(setter => setter.ValueOf((T)entity))];
            for (int i = 0; i < values.Length; i++)
                setters[i].Set(entity, values[i]);
        };
    }

    Action<object, object?> SetterOf(LambdaExpression property)
    {
        ArgumentNullException.ThrowIfNull(property);
        var known = PropertyPath.Of(property.Body, property.Parameters[0]) is { } path ? _model.FindProperty(path) : null;
        if (known is { Setter: { } setter, Kind: not PropertyKind.Key })
            return setter;
        string text = ExpressionText.Of(property.Body);
        throw new ArgumentException(
            known is { Kind: PropertyKind.Key } ? $"'{text}' is the key of {_model.Name}, which cannot change. Add the entity with another key, and remove this one."
            : NavigationBinder.IsUsedIn(_model, property) ? $"'{text}' is a property of a related entity, not of {_model.Name}. Update the related entities with a query of their own."
            : $"'{text}' is not a mapped property of {_model.Name} that can be set. Use a property, such as p => p.Price or p => p.Address.City.",
            nameof(property));
    }
}
