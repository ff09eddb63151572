using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Datacake.EventualConsistency;

namespace Datacake.Data.ChangeTracking;

/// <summary>The entries of a change tracker, indexed by entity and by key. Not thread-safe, like the context.</summary>
/// <remarks>
/// Sets with alternate lookups: dictionaries would take more than twice the memory, half of it for keys that the entries have anyway.
/// </remarks>
sealed class TrackedEntries
{
    readonly HashSet<EntityEntry> _byEntity = new(new EntityComparer());
    readonly HashSet<EntityEntry> _byKey = new(new KeyComparer());

    /// <summary>Gets all entries. No entry may be added or removed during an enumeration.</summary>
    public HashSet<EntityEntry> All => _byEntity;

    public bool TryGet(object entity, [NotNullWhen(true)] out EntityEntry? entry) =>
        _byEntity.GetAlternateLookup<object>().TryGetValue(entity, out entry);

    public bool TryGet(EntityModel model, DocumentKey key, [NotNullWhen(true)] out EntityEntry? entry) =>
        _byKey.GetAlternateLookup<(EntityModel, DocumentKey)>().TryGetValue((model, key), out entry);

    /// <summary>Adds an entry, unless another entry has its key.</summary>
    public bool TryAdd(EntityEntry entry) => _byKey.Add(entry) && _byEntity.Add(entry);

    /// <summary>Changes the key of an entry, unless another entry has the new key.</summary>
    public bool TryChangeKey(EntityEntry entry, DocumentKey key)
    {
        if (TryGet(entry.Keyspace.Entity, key, out _))
            return false;
        _byKey.Remove(entry);
        entry.Key = key;
        return _byKey.Add(entry);
    }

    public void Remove(EntityEntry entry)
    {
        if (_byEntity.Remove(entry))
            _byKey.Remove(entry);
    }

    public void Clear()
    {
        _byEntity.Clear();
        _byKey.Clear();
    }

    sealed class EntityComparer : IEqualityComparer<EntityEntry>, IAlternateEqualityComparer<object, EntityEntry>
    {
        public bool Equals(EntityEntry? x, EntityEntry? y) => ReferenceEquals(x?.Entity, y?.Entity);

        public bool Equals(object alternate, EntityEntry other) => ReferenceEquals(alternate, other.Entity);

        public int GetHashCode(EntityEntry entry) => RuntimeHelpers.GetHashCode(entry.Entity);

        public int GetHashCode(object alternate) => RuntimeHelpers.GetHashCode(alternate);

        public EntityEntry Create(object alternate) => throw new NotSupportedException();
    }

    sealed class KeyComparer : IEqualityComparer<EntityEntry>, IAlternateEqualityComparer<(EntityModel Model, DocumentKey Key), EntityEntry>
    {
        public bool Equals(EntityEntry? x, EntityEntry? y) => x is not null && y is not null && Equals((x.Keyspace.Entity, x.Key), y);

        public bool Equals((EntityModel Model, DocumentKey Key) alternate, EntityEntry other) =>
            alternate.Key == other.Key && ReferenceEquals(alternate.Model, other.Keyspace.Entity);

        public int GetHashCode(EntityEntry entry) => GetHashCode((entry.Keyspace.Entity, entry.Key));

        public int GetHashCode((EntityModel Model, DocumentKey Key) alternate) =>
            HashCode.Combine(RuntimeHelpers.GetHashCode(alternate.Model), alternate.Key);

        public EntityEntry Create((EntityModel Model, DocumentKey Key) alternate) => throw new NotSupportedException();
    }
}
