using Datacake.Crdt;
using Datacake.EventualConsistency;

namespace Datacake.Data.Metadata;

/// <summary>
/// How the entities of class <typeparamref name="T"/> are stored. The source generator writes a subclass for each entity class.
/// </summary>
public abstract class EntityModel<T> : EntityModel
    where T : class
{
    readonly Lazy<EntityContent> _defaults;
    readonly Lazy<EntityContent> _defaultsOfOwned;

    /// <summary>Describes the class.</summary>
    /// <param name="policy">What becomes of an entity that one node deletes and another updates at the same time.</param>
    /// <param name="paths">Where the cells are; the reader's slots are indexes into it.</param>
    /// <param name="properties">The mapped properties, each owned object before its own, the key in its order.</param>
    /// <param name="indexes">The indexes.</param>
    protected EntityModel(
        MergePolicy policy, IReadOnlyList<CellPath> paths, IReadOnlyList<PropertyModel> properties, IReadOnlyList<IndexModel> indexes)
        : base(typeof(T), policy, paths, properties, indexes)
    {
        _defaults = new(() => EncodeSample(ownedMarkers: []));
        _defaultsOfOwned = new(() => EncodeSample(Properties.Where(property => property.Kind == PropertyKind.Owned)));
    }

    /// <summary>Makes an entity of a key and cells.</summary>
    protected abstract T Read(ref OrderedKeyReader key, ref CellReader cells);

    /// <summary>Writes the cells of an entity.</summary>
    protected abstract void Write(T entity, CellWriter cells);

    /// <summary>Writes the key of an entity.</summary>
    protected abstract void WriteKey(T entity, OrderedKeyWriter key);

    /// <summary>What to throw when a part of the key is null.</summary>
    protected InvalidOperationException MissingKey(string property) =>
        new(
            $"The key property {property} of the {Name} is null; "
            + "give it a value before the entity is added, updated, attached or removed.");

    internal override EntityContent Defaults => _defaults.Value;

    internal override EntityContent DefaultsOfOwned => _defaultsOfOwned.Value;

    internal T Read(DocumentKey key, Document document)
    {
        var cells = new CellReader(Paths, document);
        return Read(key, ref cells);
    }

    internal override object ReadEntity(DocumentKey key, Document document) => Read(key, document);

    internal override object ReadEntity(DocumentKey key, EntityContent content)
    {
        var cells = new CellReader(Paths, content);
        return Read(key, ref cells);
    }

    internal override EntityContent Encode(object entity, CellWriter writer)
    {
        try
        {
            Write((T)entity, writer);
            return writer.Build();
        }
        catch
        {
            writer.Reset();
            throw;
        }
    }

    internal override DocumentKey KeyOf(object entity)
    {
        var writer = new OrderedKeyWriter(32);
        WriteKey((T)entity, writer);
        return new DocumentKey(writer.ToArray());
    }

    T Read(DocumentKey key, ref CellReader cells)
    {
        try
        {
            var keyReader = new OrderedKeyReader(key.Encoded.Span);
            return Read(ref keyReader, ref cells);
        }
        catch (InvalidDataException e)
        {
            string where = cells.Property.Length == 0 ? "its key" : $"its property {cells.Property}";
            throw new InvalidDataException(
                $"The {Name} {key} cannot be read, because {where} is not as the class declares it. "
                + $"Was it written by another version of the class? {e.Message}", e);
        }
    }

    /// <summary>What is written of an entity that was read from nothing but a key and the markers of owned objects.</summary>
    EntityContent EncodeSample(IEnumerable<PropertyModel> ownedMarkers)
    {
        var key = new OrderedKeyWriter();
        foreach (var property in Key)
        {
            // Zero, the empty string or the empty Guid: some value of the property's type.
            object sample = property.Type == typeof(string) ? ""
                : property.Type == typeof(Guid) ? Guid.Empty
                : property.Type == typeof(DateOnly) ? default(DateOnly)
                : 0L;
            property.OrderedCodec!.TryWriteOrdered(key, sample);
        }
        var markers = new CellWriter();
        foreach (var property in ownedMarkers)
            markers.WriteMarker(Paths.First(path => path.Name == property.Name), isPresent: true);
        return Encode(ReadEntity(new DocumentKey(key.ToArray()), markers.Build()), new CellWriter());
    }
}
