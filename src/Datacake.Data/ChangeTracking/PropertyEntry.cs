using Datacake.Data.Cells;

namespace Datacake.Data;

/// <summary>The current and original values of one property of an entity.</summary>
public readonly struct PropertyEntry
{
    readonly EntityEntry _entry;

    internal PropertyEntry(EntityEntry entry, PropertyModel metadata)
    {
        _entry = entry;
        Metadata = metadata;
    }

    /// <summary>Gets the model of the property.</summary>
    public PropertyModel Metadata { get; }

    /// <summary>Gets or sets the current value.</summary>
    /// <exception cref="InvalidOperationException">
    /// On setting: the property has no setter, or the object that contains it is null.
    /// </exception>
    /// <exception cref="ArgumentException">On setting: the value has the wrong type.</exception>
    public object? CurrentValue
    {
        get => Metadata.GetValue(_entry.Entity);
        set => Set(value);
    }

    /// <summary>
    /// Gets or sets the value that the property had when the entity was last read, attached or saved. For an added entity, or if the
    /// original values are not known, it is the current value. To check a concurrency token that a client sends back, set it here. The save
    /// then fails if the store has a different value.
    /// </summary>
    /// <exception cref="InvalidOperationException">
    /// On setting: the original values are not known, the property has no setter, or the object that contains it was null.
    /// </exception>
    /// <exception cref="ArgumentException">On setting: the value has the wrong type.</exception>
    public object? OriginalValue
    {
        get => _entry.OriginalEntity is { } original ? Metadata.GetValue(original) : CurrentValue;
        set => SetOriginal(value);
    }

    /// <summary>
    /// True if the next save writes the property, because it was changed or because the whole entity was marked as modified.
    /// </summary>
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
                // Some property has a value that cannot be stored, so the values themselves are compared.
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

    /// <summary>
    /// True if the property is part of a key, or a foreign key, that gets a number of the sequencer when the entity is saved. Its value is 0 until then.
    /// </summary>
    public bool IsTemporary
    {
        get
        {
            var (tracker, model, metadata) = (_entry.Tracker, _entry.Keyspace.Entity, Metadata);
            for (int part = 0; part < model.Key.Count; part++)
            {
                if (model.Key[part] == metadata)
                    return tracker.FindNumberedOf(_entry, part) is not null;
            }
            foreach (var relation in model.Relations)
            {
                for (int part = 0; part < relation.ForeignKey.Count; part++)
                {
                    if (relation.Dependents.Entity == model && relation.ForeignKey[part] == metadata && tracker.FindNumberedOf(relation, _entry.Entity, part) is not null)
                        return true;
                }
            }
            return false;
        }
    }

    internal void Set(object? value) => Set(_entry.Entity, value);

    internal void SetOriginal(object? value)
    {
        if (_entry.OriginalEntity is not { } original)
        {
            throw new InvalidOperationException(
                $"The original values of the {_entry.Keyspace.Entity.Name} are not known, because it was neither read nor attached. Read it first, "
                    + "or set the value on the entity before you call Update or Remove.");
        }
        Set(original, value);
        _entry.SetOriginalFrom(original);
    }

    void Set(object entity, object? value)
    {
        string name = $"The property {Metadata.Name} of {_entry.Keyspace.Entity.Name}";
        if (Metadata.Setter is not { } setter)
            throw new InvalidOperationException($"{name} cannot be set, because it has no setter.");
        bool isOfType = value is null ? !Metadata.Type.IsValueType || Nullable.GetUnderlyingType(Metadata.Type) is not null : Metadata.Type.IsInstanceOfType(value);
        if (!isOfType)
            throw new ArgumentException($"{name} is of type {Metadata.Type.Name}, but the given value is {(value is null ? "null" : $"of type {value.GetType().Name}")}.", nameof(value));
        int dot = Metadata.Name.LastIndexOf('.');
        if (dot > 0 && _entry.Keyspace.Entity.FindProperty(Metadata.Name[..dot])?.GetValue(entity) is null)
            throw new InvalidOperationException($"{name} cannot be set, because {Metadata.Name[..dot]} is null. Set {Metadata.Name[..dot]} first.");
        setter(entity, value);
    }

    /// <summary>Returns true if a changed property is the named one, or belongs to the owned object of that name.</summary>
    static bool IsOfThis(string changed, string name) =>
        changed == name
            || (changed.StartsWith(name, StringComparison.Ordinal) && changed.Length > name.Length && changed[name.Length] == '.');
}
