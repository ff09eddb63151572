using Datacake.Data.Metadata;

namespace Datacake.Data;

/// <summary>The values of one property of a tracked entity.</summary>
public readonly struct PropertyEntry
{
    readonly EntityEntry _entry;

    internal PropertyEntry(EntityEntry entry, PropertyModel metadata)
    {
        _entry = entry;
        Metadata = metadata;
    }

    /// <summary>The property.</summary>
    public PropertyModel Metadata { get; }

    /// <summary>Its value now.</summary>
    /// <exception cref="InvalidOperationException">On setting: the property has no setter, or the object that it belongs to is null.</exception>
    /// <exception cref="ArgumentException">On setting: the value is of another type.</exception>
    public object? CurrentValue
    {
        get => Metadata.GetValue(_entry.Entity);
        set => Set(value);
    }

    /// <summary>
    /// Its value when the entity was read, attached or saved last; the current one if the entity is added, or nothing is known. A concurrency token that a client brings back
    /// is set here, so that the save fails if the store has another one.
    /// </summary>
    /// <exception cref="InvalidOperationException">
    /// On setting: it is not known what the entity was; the property has no setter, or the object that it belongs to was null.
    /// </exception>
    /// <exception cref="ArgumentException">On setting: the value is of another type.</exception>
    public object? OriginalValue
    {
        get => _entry.OriginalEntity is { } original ? Metadata.GetValue(original) : CurrentValue;
        set => SetOriginal(value);
    }

    /// <summary>Whether the next save writes it: it was changed, or the whole entity is asserted as modified.</summary>
    public bool IsModified
    {
        get
        {
            if (_entry.CurrentState is not (EntityState.Unchanged or EntityState.Modified))
                return false;
            if (_entry.IsAsserted || _entry.Original is not { } original)
                return Metadata.Kind != PropertyKind.Key && _entry.CurrentState == EntityState.Modified;
            string name = Metadata.StoredName;
            EntityContent changes;
            try
            {
                changes = _entry.Encode().ChangesFrom(original);
            }
            catch (EntityValidationException)
            {
                // Some property has a value that cannot be stored: then the values themselves tell.
                return !Equals(OriginalValue, CurrentValue);
            }
            foreach (var cell in changes.Cells)
            {
                if (IsOfThis(System.Text.Encoding.UTF8.GetString(cell.Property), name))
                    return true;
            }
            return changes.Counters.Any(counter => IsOfThis(counter.Property, name));
        }
    }

    internal void Set(object? value) => Set(_entry.Entity, value);

    internal void SetOriginal(object? value)
    {
        if (_entry.OriginalEntity is not { } original)
        {
            throw new InvalidOperationException(
                $"What the {_entry.Keyspace.Entity.Name} was is not known, since it was not read or attached. Read it first, or give the entity the value before Update or Remove.");
        }
        Set(original, value);
        _entry.TakeOriginal(original);
    }

    void Set(object entity, object? value)
    {
        string name = $"The property {Metadata.Name} of {_entry.Keyspace.Entity.Name}";
        if (Metadata.Setter is not { } setter)
            throw new InvalidOperationException($"{name} has no setter.");
        bool isOfType = value is null ? !Metadata.Type.IsValueType || Nullable.GetUnderlyingType(Metadata.Type) is not null : Metadata.Type.IsInstanceOfType(value);
        if (!isOfType)
            throw new ArgumentException($"{name} is of type {Metadata.Type.Name}, and the value given is {(value is null ? "null" : $"of type {value.GetType().Name}")}.", nameof(value));
        int dot = Metadata.Name.LastIndexOf('.');
        if (dot > 0 && _entry.Keyspace.Entity.FindProperty(Metadata.Name[..dot])?.GetValue(entity) is null)
            throw new InvalidOperationException($"{name} cannot be set, since {Metadata.Name[..dot]} is null. Set {Metadata.Name[..dot]} first.");
        setter(entity, value);
    }

    /// <summary>A change in an owned object is one of the object.</summary>
    static bool IsOfThis(string changed, string name) =>
        changed == name
            || (changed.StartsWith(name, StringComparison.Ordinal) && changed.Length > name.Length && changed[name.Length] == '.');
}
