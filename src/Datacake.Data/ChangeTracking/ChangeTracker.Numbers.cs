using System.Globalization;
using Datacake.Crdt;
using Datacake.Data.ChangeTracking;
using Datacake.EventualConsistency;

namespace Datacake.Data;

// Keys that the sequencer numbers. Such an entity has the key 0 until it is saved. It is tracked under a temporary key, so that it differs from other new ones.
public sealed partial class ChangeTracker
{
    /// <summary>The first part of a temporary key. No stored key has it, because a numbered key is a single integer.</summary>
    const string TemporaryPart = "new";

    const int MaxKeyRelations = 32;

    /// <summary>The principals without a key that dependents refer to. The foreign keys are 0, which does not distinguish them.</summary>
    Dictionary<object, Dictionary<RelationModel, object>>? _unnumbered;

    long _lastTemporary;

    /// <summary>Makes a dependent refer to a principal, which may not have its key yet.</summary>
    internal void Refer(RelationModel relation, object dependent, object principal)
    {
        relation.Refer(dependent, principal);
        if (!relation.Principals.Entity.MayAwaitNumber || !Array.Exists(relation.KeyValuesOf(principal), IsZero))
            return;
        _unnumbered ??= new(ReferenceEqualityComparer.Instance);
        if (!_unnumbered.TryGetValue(dependent, out var ofDependent))
            _unnumbered.Add(dependent, ofDependent = []);
        ofDependent[relation] = principal;
    }

    /// <summary>Returns true if the foreign key of a dependent refers to a principal, which may not have its key yet.</summary>
    internal bool Refers(RelationModel relation, object dependent, object principal) =>
        relation.PrincipalKeyOf(dependent) == relation.KeyOf(principal)
            && (!relation.Principals.Entity.MayAwaitNumber || !TryGetEntry(principal, out var entry) || !AwaitsKey(entry) || ReferenceEquals(FindUnnumbered(relation, dependent), entry));

    /// <summary>Returns the new principal that a dependent refers to and whose key is not known yet; null if there is none.</summary>
    internal EntityEntry? FindUnnumbered(RelationModel relation, object dependent) =>
        _unnumbered is not null && _unnumbered.TryGetValue(dependent, out var ofDependent) && ofDependent.TryGetValue(relation, out object? principal)
            && TryGetEntry(principal, out var entry) && AwaitsKey(entry) && relation.PrincipalKeyOf(dependent) == relation.KeyOf(principal)
            ? entry
            : null;

    /// <summary>Returns true if a foreign key of an entity gets the number of a new principal.</summary>
    internal bool RefersToUnnumbered(EntityEntry entry)
    {
        if (_unnumbered is null || !_unnumbered.TryGetValue(entry.Entity, out var principals))
            return false;
        foreach (var relation in principals.Keys)
        {
            if (FindUnnumbered(relation, entry.Entity) is not null)
                return true;
        }
        return false;
    }

    /// <summary>Returns true if the entity is new, and a part of its key is a number that the save assigns.</summary>
    internal bool AwaitsKey(EntityEntry entry)
    {
        if (entry.CurrentState != EntityState.Added || !entry.Keyspace.Entity.MayAwaitNumber)
            return false;
        for (int part = 0; part < entry.Keyspace.Entity.Key.Count; part++)
        {
            if (FindNumberedOf(entry, part) is not null)
                return true;
        }
        return false;
    }

    /// <summary>Returns the new entity whose number a part of a key becomes: the entity itself, or one that it refers to. Null if the part is known.</summary>
    internal EntityEntry? FindNumberedOf(EntityEntry entry, int part) => entry.CurrentState == EntityState.Added ? FindNumbered(entry, part, MaxKeyRelations) : null;

    /// <summary>Returns the new entity whose number a part of a foreign key becomes; null if the part is known.</summary>
    internal EntityEntry? FindNumberedOf(RelationModel relation, object dependent, int part) =>
        FindUnnumbered(relation, dependent) is { } principal && IsZero(relation.ForeignKey[part].GetValue(dependent)) ? FindNumberedOf(principal, part) : null;

    EntityEntry? FindNumbered(EntityEntry entry, int part, int limit)
    {
        var model = entry.Keyspace.Entity;
        var property = model.Key[part];
        if (!IsZero(property.GetValue(entry.Entity)))
            return null;
        if (limit > 0 && _unnumbered is not null && _unnumbered.TryGetValue(entry.Entity, out var principals))
        {
            foreach (var (relation, principal) in principals)
            {
                for (int i = 0; i < relation.ForeignKey.Count; i++)
                {
                    if (relation.ForeignKey[i] == property && TryGetEntry(principal, out var known) && known.CurrentState == EntityState.Added
                        && FindNumbered(known, i, limit - 1) is { } numbered)
                        return numbered;
                }
            }
        }
        return model.IsKeyNumbered ? entry : null;
    }

    /// <summary>Returns the key under which a new entity is tracked, which is temporary if the save assigns a part of it.</summary>
    DocumentKey AddedKeyOf(EntityEntry entry)
    {
        var model = entry.Keyspace.Entity;
        var key = model.KeyOf(entry.Entity, KeyWriter);
        if (!model.MayAwaitNumber)
            return key;
        bool isTemporary = false;
        KeyWriter.Truncate();
        for (int part = 0; part < model.Key.Count; part++)
        {
            if (FindNumbered(entry, part, MaxKeyRelations) is { } numbered)
            {
                isTemporary = true;
                KeyWriter.Write(TemporaryPart);
                KeyWriter.Write(TemporaryNumberOf(numbered));
            }
            else
                model.Key[part].OrderedCodec!.TryWriteOrdered(KeyWriter, model.Key[part].GetValue(entry.Entity));
        }
        return isTemporary ? model.KeyOf(KeyWriter) : key;
    }

    long TemporaryNumberOf(EntityEntry entry) => entry.TemporaryNumber > 0 ? entry.TemporaryNumber : entry.TemporaryNumber = ++_lastTemporary;

    /// <summary>Tracks an entity under the key that its save has completed.</summary>
    internal void AcceptNumbers(EntityEntry entry)
    {
        entry.TemporaryNumber = 0;
        _unnumbered?.Remove(entry.Entity);
        var key = entry.Keyspace.Entity.KeyOf(entry.Entity, KeyWriter);
        if (key == entry.Key)
            return;
        if (!TryGetEntry(entry.Entity, out var tracked) || tracked != entry)
        {
            entry.Key = key;
            return;
        }
        // An instance with this key was read earlier and has been deleted since, or is the same entity, read while the outcome of the save was unknown.
        if (TryGetEntry(entry.Keyspace.Entity, key, out var outdated))
            Forget(outdated);
        _entries.TryChangeKey(entry, key);
    }

    /// <summary>Throws if an entity whose key the save assigns is to be taken for a stored one.</summary>
    void CheckStorable(EntityEntry entry, string purpose)
    {
        if (!AwaitsKey(entry))
            return;
        string names = string.Join(", ", entry.Keyspace.Entity.Key.Where((_, part) => FindNumberedOf(entry, part) is not null).Select(static property => property.Name));
        throw new InvalidOperationException(string.Create(
            CultureInfo.InvariantCulture,
            $"A new {entry.Keyspace.Entity.Name} {purpose}, because its {names} is 0 and gets the next number when it is saved. Save it first, or set {names} if the entity is stored."));
    }

    static bool IsZero(object? value) => value is 0 or 0L;
}
