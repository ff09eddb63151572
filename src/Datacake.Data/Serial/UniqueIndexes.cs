using Datacake.Crdt;
using Datacake.Data.CodeGeneration;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Sequencing;
using Datacake.EventualConsistency.Snapshots;
using Datacake.Storage;

namespace Datacake.Data.Serial;

/// <summary>The unique indexes of serial classes, as the sequencer enforces them: as data that needs no class.</summary>
static class UniqueIndexes
{
    const int MaxNameLength = 200;
    const int MaxDefaultLength = 4_096;
    const int PageSize = 500;

    /// <summary>Returns the unique indexes of keyspaces.</summary>
    public static IReadOnlyList<UniqueIndex> Of(IEnumerable<KeyspaceModel> keyspaces) => [.. keyspaces.Distinct().SelectMany(Of)];

    static IReadOnlyList<UniqueIndex> Of(KeyspaceModel keyspace) => keyspace.Entity.IsSerial
        ? keyspace.Entity.UniqueIndexes.GetOrAdd(
            keyspace.Name, static (name, entity) => [.. entity.Indexes.Where(static index => index.IsUnique).Select(index => Of(name, entity, index))], keyspace.Entity)
        : [];

    static UniqueIndex Of(string keyspace, EntityModel entity, IndexModel index)
    {
        var classes = index.DerivedType is null ? [] : entity.Classes.Where(known => known.Type.IsAssignableTo(index.DerivedType)).ToList();
        var sample = classes.Count == 0 ? Document.Nothing : entity.Sample(classes[0]);
        return new UniqueIndex(keyspace, NameOf(index), [.. index.Properties.Select(property => ColumnOf(entity, entity.FindProperty(property)!, sample))])
        {
            FilterPath = classes.Count == 0 ? default : entity.DiscriminatorPath,
            FilterValues = [.. classes.Select(static known => known.Discriminator).Order(StringComparer.Ordinal).Select(TextOf)],
        };
    }

    static UniqueColumn ColumnOf(EntityModel entity, PropertyModel property, Document sample)
    {
        string stored = property.StoredName;
        if (entity.Paths.FirstOrDefault(path => path.Name == stored) is not { } path)
            return UniqueColumn.OfKey(entity.Key.Index().First(part => part.Item == property).Index);
        ReadOnlyMemory<byte>[] owners = [.. entity.Paths.Where(path => stored.StartsWith(path.Name + ".", StringComparison.Ordinal)).Select(static path => new ReadOnlyMemory<byte>(path.Property))];
        return UniqueColumn.OfCell(path.Property, property.IsNullable, DefaultOf(entity, property, path, sample), owners);
    }

    /// <summary>
    /// Returns the value of entities that were stored before the class had the property. An initializer that gives a different value each time gives none that
    /// nodes could agree on.
    /// </summary>
    static ReadOnlyMemory<byte> DefaultOf(EntityModel entity, PropertyModel property, CellPath path, Document sample)
    {
        if (entity.FindLacking(sample).Contains(property.StoredName))
            return default;
        foreach (var cell in entity.DefaultsOf(sample).WithOwned.Cells)
        {
            if (cell.EncodedPath.SequenceEqual(path.Property) && cell.Value.Length <= MaxDefaultLength)
                return cell.Value.ToArray();
        }
        return default;
    }

    static ReadOnlyMemory<byte> TextOf(string text)
    {
        var writer = new ValueWriter();
        writer.WriteString(text);
        return writer.Written.ToArray();
    }

    /// <summary>Returns the unique indexes of a keyspace that the cluster enforces, as far as this version can read them.</summary>
    public static async Task<IReadOnlyList<UniqueIndex>> EnforcedAsync(StoreSnapshot snapshot, string keyspace, CancellationToken cancellationToken)
    {
        var indexes = new List<UniqueIndex>();
        for (var rest = KeyRange.All; ;)
        {
            var page = await snapshot.ScanAsync(UniqueIndex.RecordKeyspace, rest, ScanDirection.Forward, PageSize, cancellationToken).ConfigureAwait(false);
            if (page.Count == 0)
                return indexes;
            foreach (var (_, document) in page)
            {
                if (TryRead(document) is { } index && index.Keyspace == keyspace)
                    indexes.Add(index);
            }
            rest = rest.After(page[^1].Key.Encoded);
        }
    }

    static UniqueIndex? TryRead(Document record)
    {
        try
        {
            return record.Value is { } value ? UniqueIndex.Decode(value) : null;
        }
        catch (InvalidDataException)
        {
            // A later version has recorded it.
            return null;
        }
    }

    /// <summary>Returns the name under which the sequencer knows an index.</summary>
    public static string NameOf(IndexModel index) => NameOf(index.Name);

    /// <summary>Returns the name under which the cluster knows an index: the beginning of a long one.</summary>
    public static string NameOf(string name) => name.Length <= MaxNameLength ? name : name[..MaxNameLength];
}
