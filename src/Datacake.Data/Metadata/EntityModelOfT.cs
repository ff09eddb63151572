using System.Collections.Frozen;
using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using Datacake.Crdt;
using Datacake.Data.Cells;
using Datacake.Data.Metadata;
using Datacake.Data.Values;
using Datacake.EventualConsistency;

namespace Datacake.Data.CodeGeneration;

/// <summary>
/// The mapping of the entity class <typeparamref name="T"/> to the store. The source generator writes a subclass for each entity class.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public abstract class EntityModel<T> : EntityModel
    where T : class
{
    readonly Lazy<FrozenDictionary<string, EntityDefaults>> _defaults;
    readonly Lazy<(string Name, byte[] Bytes)[]> _unstable;
    readonly Lazy<bool> _isReadablePartially;
    readonly CellPath? _discriminator;

    /// <summary>Creates the mapping.</summary>
    /// <param name="policy">The policy for an entity that one node deletes while another one updates it.</param>
    /// <param name="paths">The paths of the cells. The slots of a <see cref="CellReader"/> are indexes into this list.</param>
    /// <param name="properties">
    /// The mapped properties. An owned object comes before its own properties, and the key properties are in the order of the key.
    /// </param>
    /// <param name="indexes">The indexes.</param>
    /// <param name="classes">The classes that the entities can have, if there are several; otherwise empty.</param>
    /// <param name="discriminator">The path of the discriminator, if the entities can have several classes; otherwise null.</param>
    protected EntityModel(
        MergePolicy policy,
        IReadOnlyList<CellPath> paths,
        IReadOnlyList<PropertyModel> properties,
        IReadOnlyList<IndexModel> indexes,
        IReadOnlyList<ClassModel> classes,
        CellPath? discriminator)
        : base(typeof(T), policy, paths, properties, indexes, classes)
    {
        _discriminator = discriminator;
        _unstable = new(FindUnstable);
        _isReadablePartially = new(IsCreatedWithoutCells);
        _defaults = new(() => (classes.Count == 0 ? [""] : classes.Select(known => known.Discriminator)).ToFrozenDictionary(
            name => name,
            name => new EntityDefaults(
                EncodeSample(name, owned: []), EncodeSample(name, Properties.Where(property => property.Kind == PropertyKind.Owned)))));
    }

    internal override ReadOnlyMemory<byte> DiscriminatorPath => _discriminator?.Property ?? ReadOnlyMemory<byte>.Empty;

    internal override ElementEquality Equality { get; } = new ElementEquality<T>();

    internal override IReadOnlyCollection<string> FindLacking(Document document)
    {
        if (_unstable.Value.Length == 0)
            return [];
        var lacking = new List<string>();
        foreach (var (name, bytes) in _unstable.Value)
        {
            if (!Has(document, bytes))
                lacking.Add(name);
        }
        return lacking;

        static bool Has(Document document, byte[] property)
        {
            foreach (var cell in document.Cells)
            {
                if (cell.Property.SequenceEqual(property))
                    return true;
            }
            return false;
        }
    }

    /// <summary>Creates an entity from its key and cells.</summary>
    protected abstract T Read(ref OrderedKeyReader key, ref CellReader cells);

    /// <summary>Writes the cells of an entity.</summary>
    protected abstract void Write(T entity, CellWriter cells);

    /// <summary>Writes the key of an entity.</summary>
    protected abstract void WriteKey(T entity, OrderedKeyWriter key);

    /// <summary>Returns the exception to throw when a part of the key is null.</summary>
    protected InvalidOperationException MissingKey(string property) =>
        new(
            $"The key property {property} of the {Name} is null. "
            + "Set it before the entity is added, updated, attached or removed.");

    /// <summary>Returns the exception to throw when an added entity has a key of 0 that cannot be generated. For generated code.</summary>
    /// <param name="property">The name of the property.</param>
    /// <param name="type">The name of its type.</param>
    protected InvalidOperationException UnsetKey(string property, string type) =>
        new(
            $"The key property {property} of the {Name} is 0, and no key is generated, because the type {type} is too small for values that no other node generates. "
                + $"Set it before the entity is added, or {Remedy(type)}. If 0 is a valid key, use [DatabaseGenerated(DatabaseGeneratedOption.None)] "
                + "or ValueGeneratedNever().");

    string Remedy(string type) => IsSerial ? "change its type to int or long, which get the next number when the entity is saved, and give it a setter"
        : $"change its type to long or Guid. In a serial class ([Serial] or IsSerial()), {(type == "int" ? "it gets" : "an int or a long gets")} the next number when the entity is saved";

    /// <summary>
    /// Returns the exception to throw when an added entity has a key with a converter and the default value of its type. For generated
    /// code.
    /// </summary>
    /// <param name="property">The name of the property.</param>
    protected InvalidOperationException UnsetConvertedKey(string property) =>
        new(
            $"The key property {property} of the {Name} has the default value of its type, and no key is generated, because the property has a converter. Set it before the entity is added. "
                + "If it is stored as a long, a ulong or a Guid, [DatabaseGenerated(DatabaseGeneratedOption.Identity)] or ValueGeneratedOnAdd() generates it. If the default is a valid key, "
                + "use [DatabaseGenerated(DatabaseGeneratedOption.None)] or ValueGeneratedNever().");

    /// <summary>Returns the value stored to identify the class of an entity.</summary>
    protected string DiscriminatorOf(T entity)
    {
        foreach (var known in Classes)
        {
            if (known.Type == entity.GetType())
                return known.Discriminator;
        }
        throw UnknownClass(entity);
    }

    /// <summary>Returns the exception to throw when a stored entity has an unknown class.</summary>
    protected static InvalidDataException UnknownDiscriminator(string discriminator) => new(discriminator.Length == 0
        ? "It is stored without a class, and the entity class is abstract. It may have been stored before the class became abstract."
        : $"The class '{discriminator}' is unknown. Declare it with [Derived] or HasDiscriminator().HasValue.");

    /// <summary>Generates a key if the entity has none. Overridden where keys are generated.</summary>
    protected virtual void GenerateKey(T entity, KeyGenerator keys)
    {
    }

    internal override TResult Accept<TResult>(IEntityModelVisitor<TResult> visitor) => visitor.Visit(this);

    internal override Type CollectionType => typeof(IEnumerable<T>);

    internal override void GenerateKey(object entity, KeyGenerator keys) => GenerateKey((T)entity, keys);

    internal override ClassModel? ClassOf(Document document)
    {
        if (_discriminator is null)
            return null;
        string? name = document.TryGetCell(_discriminator.Property, out var cell) && cell.IsShown(document.Born)
            ? new ValueReader(cell.Value).ReadString()
            : null;
        foreach (var known in Classes)
        {
            if (known.Discriminator == name)
                return known;
        }
        // The entity was stored before there were derived classes, or by a newer version that has more of them.
        return Classes[0].Type == Type ? Classes[0] : null;
    }

    internal override Document Sample(ClassModel known)
    {
        var cells = new DocumentContentBuilder();
        var name = new ValueWriter();
        name.WriteString(known.Discriminator);
        cells.Set(_discriminator!.Property, name.Written);
        return Document.Put(new HlcTimestamp(1), cells.Build());
    }

    // If the entity cannot be read, because its class is unknown and the entity class is abstract, the defaults of any class will do.
    internal override EntityDefaults DefaultsOf(Document document) =>
        _defaults.Value[Classes.Count == 0 ? "" : (ClassOf(document) ?? Classes[0]).Discriminator];

    /// <param name="key">The encoded key.</param>
    /// <param name="document">The document.</param>
    /// <param name="components">
    /// The <see cref="EntityModel.Paths"/> to read, or null for all. The other properties keep their defaults.
    /// </param>
    internal T Read(ReadOnlySpan<byte> key, DocumentView document, bool[]? components = null)
    {
        var cells = new CellReader(Paths, document, components);
        return Read(key, ref cells);
    }

    /// <summary>True if an entity can be created from its key and any of its properties. Otherwise, its class or its constructor depends on stored values.</summary>
    internal bool IsReadablePartially => _isReadablePartially.Value;

    /// <summary>Reads an entity from an entry of an index.</summary>
    /// <param name="key">The encoded key.</param>
    /// <param name="indexValue">The encoded value of the entry, which is not cut off.</param>
    /// <param name="columns">For each column of the index, the index of its path in <see cref="EntityModel.Paths"/>, or -1.</param>
    /// <param name="components">The <see cref="EntityModel.Paths"/> to read. The other properties keep their defaults.</param>
    internal T Read(ReadOnlySpan<byte> key, ReadOnlySpan<byte> indexValue, int[] columns, bool[] components)
    {
        var cells = new CellReader(Paths, indexValue, columns, components);
        return Read(key, ref cells);
    }

    internal T Read(DocumentKey key, Document document) => Read(key.Encoded.Span, document.View);

    internal override object ReadEntity(DocumentKey key, Document document) => Read(key, document);

    internal override object ReadEntity(DocumentKey key, EntityContent content)
    {
        var cells = new CellReader(Paths, content);
        return Read(key.Encoded.Span, ref cells);
    }

    internal override EntityContent Encode(object entity, CellWriter writer)
    {
        try
        {
            Write((T)entity, writer);
            return writer.Build();
        }
        catch (PropertyValueException e)
        {
            writer.Reset();
            string property = e.Property.StartsWith(Name + ".", StringComparison.Ordinal) ? e.Property[(Name.Length + 1)..] : e.Property;
            throw new EntityValidationException([new ValidationError(Name, KeyOf(entity), property, e.Problem.TrimEnd('.', ';'))], e);
        }
        catch
        {
            writer.Reset();
            throw;
        }
    }

    internal override void WriteKey(object entity, OrderedKeyWriter writer)
    {
        if (!Has(entity.GetType()))
            throw UnknownClass(entity);
        WriteKey((T)entity, writer);
    }

    T Read(ReadOnlySpan<byte> key, ref CellReader cells)
    {
        try
        {
            var keyReader = new OrderedKeyReader(key);
            return Read(ref keyReader, ref cells);
        }
        catch (InvalidDataException e)
        {
            string problem = cells.Property.Length > 0 ? $"Its property {cells.Property} does not match the class. "
                : cells.IsRaw ? ""
                : "Its key does not match the class. ";
            throw new UnreadableEntityException(Name, new DocumentKey(key.ToArray()), problem + e.Message, e);
        }
    }

    ArgumentException UnknownClass(object entity) => new(
        $"The model of {Name} does not include the class {entity.GetType().Name}, so the entity would be read back as another class. "
        + $"Mark {Name} with [Derived(typeof({entity.GetType().Name}))].", nameof(entity));

    /// <summary>Finds the properties whose initializers give a different value each time, such as a new Guid or the time.</summary>
    (string Name, byte[] Bytes)[] FindUnstable()
    {
        string[] classes = Classes.Count == 0 ? [""] : [.. Classes.Select(known => known.Discriminator)];
        var owned = Properties.Where(property => property.Kind == PropertyKind.Owned).ToArray();
        var unstable = new HashSet<string>();
        foreach (string discriminator in classes)
        {
            try
            {
                var first = EncodeSample(discriminator, owned);
                // The clock has to advance between the two samples.
                long started = Stopwatch.GetTimestamp();
                SpinWait.SpinUntil(() => Stopwatch.GetElapsedTime(started) > TimeSpan.FromMicroseconds(50));
                var second = EncodeSample(discriminator, owned);
                unstable.UnionWith(Properties.Where(property => !first.HasSameValue(property.StoredName, second)).Select(property => property.StoredName));
            }
            catch (Exception)
            {
                // The class may reject missing values. Then there is no entity of which the store lacks everything.
            }
        }
        return [.. unstable.Select(name => (name, Encoding.UTF8.GetBytes(name)))];
    }

    bool IsCreatedWithoutCells()
    {
        var probe = new ReadAheadProbe();
        var cells = new CellReader(Paths, probe);
        try
        {
            var key = new OrderedKeyReader(SampleKey().Written);
            Read(ref key, ref cells);
            return !probe.HasReadAhead;
        }
        catch (Exception)
        {
            // A class may reject missing values.
            return false;
        }
    }

    OrderedKeyWriter SampleKey()
    {
        var key = new OrderedKeyWriter();
        foreach (var property in Key)
            property.OrderedCodec!.TryWriteOrdered(key, property.IsConverted ? null : SampleOf(property.Type));
        return key;
    }

    /// <summary>Returns the content of an entity that was read from nothing but its class and the markers of owned objects.</summary>
    EntityContent EncodeSample(string discriminator, IEnumerable<PropertyModel> owned)
    {
        var key = SampleKey();
        var cells = new CellWriter();
        if (_discriminator is not null)
            cells.Write(_discriminator, ValueCodecs.String, discriminator);
        foreach (var property in owned)
            cells.WriteMarker(Paths.First(path => path.Name == property.StoredName), isPresent: true);
        try
        {
            return Encode(ReadEntity(new DocumentKey(key.ToArray()), cells.Build()), new CellWriter());
        }
        catch (EntityValidationException e)
        {
            throw new InvalidOperationException($"The property {e.Errors[0].Property} of a new {Name} {e.Errors[0].Problem}. Give it another initializer.", e);
        }
    }

    /// <summary>Returns a value that a key of the type can have: zero or an empty value.</summary>
    static object SampleOf(Type type) =>
        type == typeof(string) ? ""
        : type == typeof(byte[]) ? Array.Empty<byte>()
        : type == typeof(bool) ? false
        : type == typeof(decimal) ? 0m
        : type == typeof(Guid) ? Guid.Empty
        : type == typeof(DateTime) ? default(DateTime)
        : type == typeof(DateTimeOffset) ? default(DateTimeOffset)
        : type == typeof(DateOnly) ? default(DateOnly)
        : type == typeof(TimeOnly) ? default(TimeOnly)
        : type == typeof(TimeSpan) ? TimeSpan.Zero
        : 0L;
}
