using Datacake.Crdt;
using Datacake.Data.Cells;
using Datacake.Data.ChangeTracking;
using Datacake.Data.CodeGeneration;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Sequencing;

namespace Datacake.Data.Saving;

/// <summary>The numbers that the sequencer assigns to new entities, and the foreign keys that get them, too.</summary>
static class SerialNumbers
{
    /// <summary>
    /// Returns the numbers that writes need, in order, and the writes with the properties that get them. The place of each number is in the operation with the index
    /// of the write.
    /// </summary>
    /// <exception cref="InvalidOperationException">A number has no place in an entity.</exception>
    public static (IReadOnlyList<PendingWrite> Writes, IReadOnlyList<SerialNumber> Numbers) Of(IReadOnlyList<PendingWrite> writes)
    {
        var numbers = new List<(KeyspaceModel Keyspace, PropertyModel Property, List<NumberPlace> Places)>();
        // Keys are numbered in the order in which the entities were added.
        var keys = new Dictionary<EntityEntry, int>();
        foreach (var entry in writes.Select(static write => write.Entry).Where(IsKeyNumbered).OrderBy(static entry => entry.TemporaryNumber))
        {
            keys.Add(entry, numbers.Count);
            numbers.Add((entry.Keyspace, entry.Keyspace.Entity.Key[0], []));
        }
        var numbered = new List<PendingWrite>(writes.Count);
        for (int i = 0; i < writes.Count; i++)
        {
            var parts = new List<NumberedProperty>();
            foreach (var (property, source) in NumberedKeyPartsOf(writes[i].Entry))
            {
                var key = KeyOf(writes[i].Entry);
                Add(property, keys[source], NumberPlace.OfKey(i, key, writes[i].Entry.Keyspace.Entity.Key.Index().First(part => part.Item == property).Index));
            }
            foreach (var (property, source) in NumberedForeignKeysOf(writes[i]))
                Add(property, keys[source], NumberPlace.OfCell(i, PathOf(writes[i], property)));
            foreach (var property in NumberedPropertiesOf(writes[i]))
            {
                numbers.Add((writes[i].Entry.Keyspace, property, []));
                Add(property, numbers.Count - 1, NumberPlace.OfCell(i, PathOf(writes[i], property)));
            }
            numbered.Add(parts.Count == 0 ? writes[i] : writes[i] with { Numbered = parts });

            void Add(PropertyModel property, int number, NumberPlace place)
            {
                if (property.Setter is null || property.IsConverted)
                {
                    throw new InvalidOperationException(
                        $"The {writes[i].Entry.Keyspace.Entity.Name} refers by {property.Name} to a new {numbers[number].Keyspace.Entity.Name}, whose {numbers[number].Property.Name} is a number that the save "
                            + $"assigns, but {property.Name} {(property.Setter is null ? "has no setter. Add a setter, which may be private" : "has a converter. Remove the converter")}, or save the "
                            + $"{numbers[number].Keyspace.Entity.Name} first. Nothing was saved.");
                }
                numbers[number].Places.Add(place);
                parts.Add(new NumberedProperty(property, number));
            }
        }
        return (numbered, [.. numbers.Select(static number => new SerialNumber(
            NameOf(number.Keyspace, number.Property), MaxOf(number.Property), number.Places))]);
    }

    /// <summary>Returns the name of the sequence that numbers a property.</summary>
    public static string NameOf(KeyspaceModel keyspace, PropertyModel property) => $"{keyspace.Name}/{property.StoredName}";

    /// <summary>Returns the greatest number that a property can hold.</summary>
    public static long MaxOf(PropertyModel property) => property.Type == typeof(int) ? int.MaxValue : long.MaxValue;

    /// <summary>Returns the key under which an entity is written. Parts that get numbers are 0 in it.</summary>
    public static DocumentKey KeyOf(EntityEntry entry) => entry.Tracker.AwaitsKey(entry) ? entry.Keyspace.Entity.KeyOf(entry.Entity) : entry.Key;

    /// <summary>Returns writes with the numbers that were assigned to them, which the entities get.</summary>
    public static IReadOnlyList<PendingWrite> Assign(IReadOnlyList<PendingWrite> writes, IReadOnlyList<long> numbers)
    {
        if (numbers.Count == 0)
            return writes;
        var assigned = new List<PendingWrite>(writes.Count);
        foreach (var write in writes)
        {
            var changes = new DocumentContentBuilder();
            bool hasKey = false;
            foreach (var (property, index) in write.Numbered ?? [])
            {
                long number = numbers[index];
                property.Setter!(write.Entry.Entity, (Nullable.GetUnderlyingType(property.Type) ?? property.Type) == typeof(int) ? (object)(int)number : number);
                hasKey |= property.Kind == PropertyKind.Key;
                if (property.Kind == PropertyKind.Key)
                    continue;
                var value = new ValueWriter();
                value.WriteInt64(number);
                changes.Set(PathOf(write, property), value.Written);
            }
            assigned.Add(changes.Count == 0 ? write : With(write, changes.Build()));
            if (hasKey)
                write.Entry.Tracker.AcceptNumbers(write.Entry);
        }
        return assigned;
    }

    static PendingWrite With(PendingWrite write, DocumentContent changes) => write with
    {
        Content = write.Content! with { Cells = write.Content.Cells.With(changes) },
        Changes = write.Changes! with { Cells = write.Changes.Cells.With(changes) },
        Document = write.Document?.With(changes),
    };

    static bool IsKeyNumbered(EntityEntry entry) => NumberedKeyPartsOf(entry).Any(part => part.Source == entry);

    /// <summary>Returns the parts of a new entity's key that get numbers, with the entities whose numbers these are.</summary>
    static IEnumerable<(PropertyModel Property, EntityEntry Source)> NumberedKeyPartsOf(EntityEntry entry)
    {
        for (int part = 0; part < entry.Keyspace.Entity.Key.Count; part++)
        {
            if (entry.Keyspace.Entity.MayAwaitNumber && entry.Tracker.FindNumberedOf(entry, part) is { } source)
                yield return (entry.Keyspace.Entity.Key[part], source);
        }
    }

    /// <summary>Returns the foreign keys of an entity that refer to new entities without a key, with the entities whose numbers these are.</summary>
    static IEnumerable<(PropertyModel Property, EntityEntry Source)> NumberedForeignKeysOf(PendingWrite write)
    {
        if (write.Content is null || !write.Entry.Tracker.RefersToUnnumbered(write.Entry))
            yield break;
        var done = new HashSet<PropertyModel>();
        foreach (var relation in write.Entry.Keyspace.Entity.Relations)
        {
            if (relation.Dependents.Entity != write.Entry.Keyspace.Entity)
                continue;
            for (int part = 0; part < relation.ForeignKey.Count; part++)
            {
                // Parts of the key have their places in the key. Relations may share a property.
                var property = relation.ForeignKey[part];
                if (property.Kind != PropertyKind.Key && write.Entry.Tracker.FindNumberedOf(relation, write.Entry.Entity, part) is { } source && done.Add(property))
                    yield return (property, source);
            }
        }
    }

    /// <summary>Returns the properties of a new entity, other than its key, that get numbers: those that are written as 0.</summary>
    static IEnumerable<PropertyModel> NumberedPropertiesOf(PendingWrite write) => write.Document is null || write.Entry.CurrentState != EntityState.Added
        ? []
        : write.Entry.Keyspace.Entity.Properties.Where(property => property is { IsNumbered: true, Kind: not PropertyKind.Key } && IsZero(write.Document, write.Entry.Keyspace.Entity, property));

    /// <summary>Returns true if a property is written as 0.</summary>
    public static bool IsZero(DocumentContent content, EntityModel entity, PropertyModel property)
    {
        byte[] path = PathOf(entity, property);
        foreach (var cell in content)
        {
            if (cell.EncodedPath.SequenceEqual(path))
                return cell.Value is [0];
        }
        return false;
    }

    /// <summary>Returns the encoded path of the cell of a property.</summary>
    public static byte[] PathOf(EntityModel entity, PropertyModel property) => entity.Paths.First(path => path.Name == property.StoredName).Property;

    static byte[] PathOf(PendingWrite write, PropertyModel property) => PathOf(write.Entry.Keyspace.Entity, property);
}
