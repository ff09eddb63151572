using System.Diagnostics.CodeAnalysis;
using System.Reflection;

namespace Datacake.Data;

/// <summary>
/// The values of all mapped properties of an entity: the current, original or stored ones. Not thread-safe, like the context.
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

    /// <summary>Gets the properties. An owned object comes before its own properties.</summary>
    public IReadOnlyList<PropertyModel> Properties => _model.Properties;

    /// <summary>Gets or sets the value of a property by its name or, if it is nested, by a path such as <c>Address.City</c>.</summary>
    /// <exception cref="ArgumentException">The class has no mapped property of this name, or the value to set has the wrong type.</exception>
    /// <exception cref="InvalidOperationException">
    /// On setting: the property has no setter, the object that contains it is null, or these are the read-only stored values.
    /// </exception>
    public object? this[string propertyName]
    {
        get => PropertyOf(propertyName).GetValue(_entity());
        set => Setter(PropertyOf(propertyName).Name, value);
    }

    /// <summary>Returns the value of a property.</summary>
    /// <exception cref="ArgumentException">The class has no mapped property of this name.</exception>
    public TValue GetValue<TValue>(string propertyName) => (TValue)this[propertyName]!;

    /// <summary>Sets all properties except the key to other values, such as the stored ones.</summary>
    /// <exception cref="ArgumentException">The other values belong to another class.</exception>
    /// <exception cref="InvalidOperationException">These are the read-only stored values.</exception>
    public void SetValues(PropertyValues values)
    {
        ArgumentNullException.ThrowIfNull(values);
        if (values._model != _model)
            throw new ArgumentException($"The values belong to a {values._model.Name}, not to a {_model.Name}.", nameof(values));
        Take(values._entity());
    }

    /// <summary>Sets properties by name.</summary>
    /// <exception cref="ArgumentException">The class has no mapped property of a name, or a value has the wrong type.</exception>
    /// <exception cref="InvalidOperationException">A property has no setter, or these are the read-only stored values.</exception>
    public void SetValues(IReadOnlyDictionary<string, object?> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        foreach (var (name, value) in values)
            this[name] = value;
    }

    /// <summary>
    /// Sets properties to the values of an object's properties with the same names. The object may be an entity of the class, whose key is
    /// ignored, or of any other class, such as one that a client sent.
    /// </summary>
    /// <exception cref="ArgumentException">A property of the object has the wrong type, or its key differs.</exception>
    /// <exception cref="InvalidOperationException">A property has no setter, or these are the read-only stored values.</exception>
    [RequiresUnreferencedCode("The properties of the object are found by reflection. Pass a dictionary, or the values of another entry.")]
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
                    $"The key property {known.Name} of the {_model.Name} is {known.GetValue(_entity())}, but the given values have {value}. "
                        + "The key of an entity cannot change.", nameof(values));
            }
        }
    }

    /// <summary>Returns an entity that has these values.</summary>
    public object ToObject() => _entity();

    PropertyModel PropertyOf(string name) =>
        _model.FindProperty(name) ?? throw new ArgumentException($"{_model.Name} has no mapped property '{name}'.", nameof(name));

    void Take(object other)
    {
        foreach (var property in _model.Properties)
        {
            // A property of an owned object is set together with the object.
            if (property.Kind != PropertyKind.Key && property.Setter is not null && !_model.IsSetWithOwner(property)
                && property.DerivedType?.IsInstanceOfType(other) != false)
                Setter(property.Name, property.GetValue(other));
        }
    }

    Action<string, object?> Setter =>
        _set ?? throw new InvalidOperationException($"The stored values of a {_model.Name} are read-only. Change the entity and save it.");
}
