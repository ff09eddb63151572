using Datacake.Crdt;
using Datacake.Data.Cells;
using Datacake.Data.ChangeTracking;
using Datacake.Data.CodeGeneration;
using Datacake.EventualConsistency.Sequencing;

namespace Datacake.Data.Saving;

/// <summary>The numbers that the sequencer assigns to new entities.</summary>
static class SerialNumbers
{
    /// <summary>Returns the numbers that writes need, in order. The place of each is in the operation with the index of the write.</summary>
    public static IReadOnlyList<SerialNumber> Of(IReadOnlyList<PendingWrite> writes) => [.. writes.Index().SelectMany(write => PropertiesOf(write.Item).Select(property => new SerialNumber(
        $"{write.Item.Entry.Keyspace.Name}/{property.StoredName}",
        property.Type == typeof(int) ? int.MaxValue : long.MaxValue,
        [NumberPlace.OfCell(write.Index, PathOf(write.Item, property))])))];

    /// <summary>Returns writes with the numbers that were assigned to them, which the entities get.</summary>
    public static IReadOnlyList<PendingWrite> Assign(IReadOnlyList<PendingWrite> writes, IReadOnlyList<long> numbers)
    {
        if (numbers.Count == 0)
            return writes;
        int next = 0;
        var assigned = new List<PendingWrite>(writes.Count);
        foreach (var write in writes)
        {
            var changes = new DocumentContentBuilder();
            foreach (var property in PropertiesOf(write).ToList())
            {
                long number = numbers[next++];
                property.Setter!(write.Entry.Entity, property.Type == typeof(int) ? (object)(int)number : number);
                var value = new ValueWriter();
                value.WriteInt64(number);
                changes.Set(PathOf(write, property), value.Written);
            }
            assigned.Add(changes.Count == 0 ? write : With(write, changes.Build()));
        }
        return assigned;
    }

    static PendingWrite With(PendingWrite write, DocumentContent changes) => write with
    {
        Content = write.Content! with { Cells = write.Content.Cells.With(changes) },
        Changes = write.Changes! with { Cells = write.Changes.Cells.With(changes) },
        Document = write.Document!.With(changes),
    };

    /// <summary>Returns the properties of a new entity that get numbers: those that are written as 0.</summary>
    static IEnumerable<PropertyModel> PropertiesOf(PendingWrite write) => write.Document is null || write.Entry.CurrentState != EntityState.Added
        ? []
        : write.Entry.Keyspace.Entity.Properties.Where(property => property.IsNumbered && IsZero(write, property));

    static bool IsZero(PendingWrite write, PropertyModel property)
    {
        byte[] path = PathOf(write, property);
        foreach (var cell in write.Document!)
        {
            if (cell.EncodedPath.SequenceEqual(path))
                return cell.Value is [0];
        }
        return false;
    }

    static byte[] PathOf(PendingWrite write, PropertyModel property) => write.Entry.Keyspace.Entity.Paths.First(path => path.Name == property.StoredName).Property;
}
