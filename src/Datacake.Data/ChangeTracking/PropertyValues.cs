using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Datacake.Data.Metadata;

namespace Datacake.Data;

/// <summary>
/// The values of all mapped properties of an entity: as they are, as they were, or as they are stored. Not thread-safe, as the context.
/// </summary>
public sealed class PropertyValues
{
    readonly EntityModel _model;
    readonly Func<object> _entity;
    readonly Action<string, object?>? _set;

    internal PropertyValues(EntityModel model, Func<object> entity, Action<string, object?>? set)
    {
        _model = model;
        _entity = entity;
        _set = set;
    }

    /// <summary>Gets the properties, each owned object before its own.</summary>
    public IReadOnlyList<PropertyModel> Properties => _model.Properties;

    /// <summary>Gets or sets the value of a property by its name; nested ones are joined by dots.</summary>
    /// <exception cref="ArgumentException">There is no mapped property of this name; on setting, the value is of another type.</exception>
    /// <exception cref="InvalidOperationException">On setting: the property has no setter, its owner is null, or these are the values of the store.</exception>
    public object? this[string propertyName]
    {
        get => PropertyOf(propertyName).GetValue(_entity());
        set => Setter(PropertyOf(propertyName).Name, value);
    }

    /// <summary>Returns the value of a property.</summary>
    /// <exception cref="ArgumentException">There is no mapped property of this name.</exception>
    public TValue GetValue<TValue>(string propertyName) => (TValue)this[propertyName]!;

    /// <summary>Sets all properties but the key to the values of other ones, such as those of the store.</summary>
    /// <exception cref="ArgumentException">They are of another class.</exception>
    /// <exception cref="InvalidOperationException">These are the values of the store.</exception>
    public void SetValues(PropertyValues values)
    {
        ArgumentNullException.ThrowIfNull(values);
        if (values._model != _model)
            throw new ArgumentException($"The values are those of a {values._model.Name}, and not of a {_model.Name}.", nameof(values));
        Take(values._entity());
    }

    /// <summary>Sets properties by their names.</summary>
    /// <exception cref="ArgumentException">There is no mapped property of a name, or a value is of another type.</exception>
    /// <exception cref="InvalidOperationException">A property has no setter, or these are the values of the store.</exception>
    public void SetValues(IReadOnlyDictionary<string, object?> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        foreach (var (name, value) in values)
            this[name] = value;
    }

    /// <summary>
    /// Sets properties to those of an object that have their names: an entity of the class, whose key is left alone, or an object of any other class, such as one that a client sent.
    /// </summary>
    /// <exception cref="ArgumentException">A property of the object is of another type, or its key is another one.</exception>
    /// <exception cref="InvalidOperationException">A property has no setter, or these are the values of the store.</exception>
    [RequiresUnreferencedCode("The properties of the object are found by reflection. Give a dictionary, or the values of another entry.")]
    public void SetValues(object values)
    {
        ArgumentNullException.ThrowIfNull(values);
        if (_model.Has(values.GetType()))
        {
            Take(values);
            return;
        }
        foreach (var property in values.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            if (!property.CanRead || property.GetIndexParameters().Length > 0 || _model.FindProperty(property.Name) is not { } known)
                continue;
            object? value = property.GetValue(values);
            if (known.Kind != PropertyKind.Key)
                Setter(known.Name, value);
            else if (!Equals(value, known.GetValue(_entity())))
            {
                throw new ArgumentException(
                    $"The key property {known.Name} of the {_model.Name} is {known.GetValue(_entity())}, and in the values {value}; the key of an entity is for life.", nameof(values));
            }
        }
    }

    /// <summary>Returns the entity that has the values.</summary>
    public object ToObject() => _entity();

    PropertyModel PropertyOf(string name) =>
        _model.FindProperty(name) ?? throw new ArgumentException($"{_model.Name} has no mapped property '{name}'.", nameof(name));

    void Take(object other)
    {
        foreach (var property in _model.Properties)
        {
            // What is in an object comes with it.
            if (property.Kind != PropertyKind.Key && property.Setter is not null && !_model.IsSetWithOwner(property)
                && property.DerivedType?.IsInstanceOfType(other) != false)
                Setter(property.Name, property.GetValue(other));
        }
    }

    Action<string, object?> Setter =>
        _set ?? throw new InvalidOperationException($"These are the values of a {_model.Name} in the store; they change with a save of the entity.");
}
