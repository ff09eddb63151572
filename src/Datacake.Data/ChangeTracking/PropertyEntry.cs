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
    /// <exception cref="InvalidOperationException">On setting: the property cannot be set.</exception>
    public object? CurrentValue
    {
        get => Metadata.GetValue(_entry.Entity);
        set
        {
            if (Metadata.Setter is not { } setter)
                throw new InvalidOperationException($"The property {Metadata.Name} of {_entry.Keyspace.Entity.Name} has no setter.");
            setter(_entry.Entity, value);
        }
    }

    /// <summary>
    /// Its value when the entity was read, attached or saved last; the current one if the entity is added, or nothing is known.
    /// </summary>
    public object? OriginalValue => _entry.OriginalEntity is { } original ? Metadata.GetValue(original) : CurrentValue;

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
            var changes = _entry.Encode().ChangesFrom(original);
            foreach (var cell in changes.Cells)
            {
                if (IsOfThis(System.Text.Encoding.UTF8.GetString(cell.Property), name))
                    return true;
            }
            return changes.Counters.Any(counter => IsOfThis(counter.Property, name));
        }
    }

    /// <summary>A change in an owned object is one of the object.</summary>
    static bool IsOfThis(string changed, string name) =>
        changed == name
            || (changed.StartsWith(name, StringComparison.Ordinal) && changed.Length > name.Length && changed[name.Length] == '.');
}
