using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using Datacake.Crdt;
using Datacake.Data.Cells;
using Datacake.Data.CodeGeneration;
using Datacake.Data.Metadata;
using Datacake.Data.Values;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Sequencing;

namespace Datacake.Data;

/// <summary>
/// The mapping of an entity class to the store: its properties, key and indexes and, in the generated subclass, its codec. Immutable and
/// thread-safe. Created by the source generator.
/// </summary>
public abstract partial class EntityModel
{
    static readonly DateTimeOffset FirstExpiry = HlcTimestamp.Epoch.AddDays(1), LastExpiry = HlcTimestamp.Epoch.AddSeconds(uint.MaxValue).AddDays(-1);

    readonly FrozenDictionary<string, PropertyModel> _propertiesByName;
    volatile bool _hasMembers;
    object? _queryCaches;

    private protected EntityModel(
        Type type,
        MergePolicy policy,
        IReadOnlyList<CellPath> paths,
        IReadOnlyList<PropertyModel> properties,
        IReadOnlyList<IndexModel> indexes,
        IReadOnlyList<ClassModel> classes)
    {
        Type = type;
        Classes = classes;
        Policy = policy;
        Paths = [.. paths];
        Properties = properties;
        Key = [.. properties.Where(property => property.Kind == PropertyKind.Key)];
        Indexes = indexes;
        Validated = [.. properties.Where(property => property.IsRequired || property.MaxLength is not null || property.Check is not null)];
        ConcurrencyTokens = [.. properties.Where(property => property.IsConcurrencyToken)];
        Expiry = properties.FirstOrDefault(property => property.IsExpiry);
        _propertiesByName = properties.ToFrozenDictionary(property => property.Name);
    }

    /// <summary>True if a new entity with the key 0 gets the next number as its key when it is saved.</summary>
    internal bool IsKeyNumbered => Key is [{ IsNumbered: true }];

    /// <summary>Gets the entity class.</summary>
    public Type Type { get; }

    /// <summary>Gets the name of the entity class.</summary>
    public string Name => Type.Name;

    /// <summary>Gets the policy for an entity that one node deletes while another one updates it.</summary>
    public MergePolicy Policy { get; }

    /// <summary>True if the entities do not merge, because only serial saves write them.</summary>
    public bool IsSerial => Policy == MergePolicy.Serial;

    /// <summary>
    /// Gets the classes that the entities can have, if there are several: the entity class, unless it is abstract, and the classes derived
    /// from it. Empty if there is only one class.
    /// </summary>
    public IReadOnlyList<ClassModel> Classes { get; }

    /// <summary>Gets the mapped properties. An owned object comes before its own properties.</summary>
    public IReadOnlyList<PropertyModel> Properties { get; }

    /// <summary>Gets the key properties, in order.</summary>
    public IReadOnlyList<PropertyModel> Key { get; }

    /// <summary>Gets the indexes.</summary>
    public IReadOnlyList<IndexModel> Indexes { get; }

    /// <summary>Gets the properties whose stored value must still be the one that was read when the entity is saved.</summary>
    public IReadOnlyList<PropertyModel> ConcurrencyTokens { get; }

    /// <summary>Gets the time after which entities expire; null if they do not, or if a property says when.</summary>
    public virtual TimeSpan? ExpiresAfter => null;

    /// <summary>Gets the property that says when an entity expires; null if there is none.</summary>
    public PropertyModel? Expiry { get; }

    /// <summary>Returns the instant at which an entity expires that is put now; null if it does not expire.</summary>
    internal DateTimeOffset? ExpiryOf(object entity, DateTimeOffset now) => Expiry?.GetValue(entity) as DateTimeOffset? ?? now + ExpiresAfter;

    /// <summary>Returns the mapped property with a name; null if there is none.</summary>
    public PropertyModel? FindProperty(string name) => _propertiesByName.GetValueOrDefault(name);

    /// <summary>Returns true if an object that contains the property can be set, which sets the property as well.</summary>
    internal bool IsSetWithOwner(PropertyModel property)
    {
        int dot = property.Name.LastIndexOf('.');
        return dot > 0 && FindProperty(property.Name[..dot]) is { } owner && (owner.Setter is not null || IsSetWithOwner(owner));
    }

    /// <summary>
    /// Looks for the members of compiled classes that the compiler did not show to the generator. For generated code; called once, when the
    /// first context is created.
    /// </summary>
    /// <param name="members">Receives the members, whether they are present or missing.</param>
    protected virtual void CheckMembers(CompiledMemberCheck members)
    {
    }

    /// <summary>Returns the index of the first field that a compiled class has; -1 if it has none of them. For generated code.</summary>
    /// <param name="owner">A class that has the field.</param>
    /// <param name="uses">The functions that each use one of the fields.</param>
    protected static int FindField(
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors | DynamicallyAccessedMemberTypes.NonPublicConstructors)] Type owner,
        params Action<object>[] uses)
    {
        ArgumentNullException.ThrowIfNull(owner);
        ArgumentNullException.ThrowIfNull(uses);
        object sample = RuntimeHelpers.GetUninitializedObject(owner);
        for (int i = 0; i < uses.Length; i++)
        {
            try
            {
                uses[i](sample);
                return i;
            }
            catch (MissingFieldException)
            {
            }
        }
        return -1;
    }

    /// <summary>Checks that an object within an entity has exactly the class that it is stored as. For generated code.</summary>
    /// <param name="value">The object, or null.</param>
    /// <param name="declared">The class that it is stored as.</param>
    /// <param name="property">The name of the property.</param>
    /// <exception cref="ArgumentException">The object has a derived class, so it would be read back as another class.</exception>
    protected static void CheckClass(object? value, Type declared, string property)
    {
        ArgumentNullException.ThrowIfNull(declared);
        if (value is not null && value.GetType() != declared)
        {
            throw new PropertyValueException(
                property,
                $"has a {value.GetType().Name}, which would be read back as a {declared.Name} without the members of {value.GetType().Name}. "
                    + $"Store a {declared.Name}, or change the type of the property to {value.GetType().Name}.");
        }
    }

    /// <summary>Looks for the members that the compiler did not show, unless all of them were found before.</summary>
    internal void CheckMembersOnce(CompiledMemberCheck members)
    {
        if (_hasMembers)
            return;
        int missing = members.MissingCount;
        CheckMembers(members);
        _hasMembers = members.MissingCount == missing;
    }

    internal CellPath[] Paths { get; }

    /// <summary>Gets the properties that have validation rules.</summary>
    PropertyModel[] Validated { get; }

    /// <summary>Gets the equality of these entities, which recognizes collections that have a comparer of their own.</summary>
    internal abstract ElementEquality Equality { get; }

    /// <summary>Gets the codec that writes entities as their keys.</summary>
    internal KeyCodec KeyCodec => field ??= new(this);

    /// <summary>Gets the indexes that contain a document whose value they cannot read, in any store of this process.</summary>
    internal ConcurrentDictionary<string, bool> IndexesWithUnreadable { get; } = [];

    /// <summary>Gets the unique indexes as the sequencer enforces them, by keyspace.</summary>
    internal ConcurrentDictionary<string, IReadOnlyList<UniqueIndex>> UniqueIndexes { get; } = [];

    /// <summary>Gets the encoded path of the cell that has the class of an entity; empty if there is only one class.</summary>
    internal abstract ReadOnlyMemory<byte> DiscriminatorPath { get; }

    /// <summary>Returns the object that queries keep with the model, which the first call creates.</summary>
    internal object GetQueryCaches(Func<EntityModel, object> create) =>
        Volatile.Read(ref _queryCaches) ?? Interlocked.CompareExchange(ref _queryCaches, create(this), null) ?? _queryCaches;

    /// <summary>Returns true if entities of exactly this class can be stored.</summary>
    internal bool Has(Type type)
    {
        if (type == Type && Classes.Count == 0)
            return true;
        foreach (var known in Classes)
        {
            if (known.Type == type)
                return true;
        }
        return false;
    }

    /// <summary>
    /// Returns the class of a stored entity; null if there is only one class, or if the class is unknown and the entity class is abstract.
    /// </summary>
    internal abstract ClassModel? ClassOf(Document document);

    /// <summary>Returns a document of an entity of which only the class is stored.</summary>
    internal abstract Document Sample(ClassModel known);

    /// <summary>
    /// Returns the stored names of the properties that a document lacks and whose initializers give a different value each time.
    /// </summary>
    internal abstract IReadOnlyCollection<string> FindLacking(Document document);

    /// <summary>Returns the content that the class gives a stored entity where its document has none.</summary>
    internal abstract EntityDefaults DefaultsOf(Document document);

    /// <summary>Calls a visitor with the entity class as its type argument.</summary>
    internal abstract TResult Accept<TResult>(IEntityModelVisitor<TResult> visitor);

    internal abstract object ReadEntity(DocumentKey key, Document document);

    internal abstract object ReadEntity(DocumentKey key, EntityContent content);

    internal abstract EntityContent Encode(object entity, CellWriter writer);

    /// <exception cref="ArgumentException">The entity has a class that cannot be stored.</exception>
    internal DocumentKey KeyOf(object entity) => KeyOf(entity, new OrderedKeyWriter(32));

    /// <exception cref="ArgumentException">The entity has a class that cannot be stored.</exception>
    internal DocumentKey KeyOf(object entity, OrderedKeyWriter writer)
    {
        RewriteKey(entity, writer);
        return KeyOf(writer);
    }

    /// <summary>Writes the key of an entity, replacing what the writer has.</summary>
    /// <exception cref="ArgumentException">The entity has a class that cannot be stored, or its key is not valid.</exception>
    internal void RewriteKey(object entity, OrderedKeyWriter writer)
    {
        writer.Truncate();
        try
        {
            WriteKey(entity, writer);
        }
        catch (ArgumentException e) when (e.InnerException is EncoderFallbackException)
        {
            throw new ArgumentException(
                $"The key of the {Name} ({string.Join(", ", Key.Select(property => property.Name))}) contains half of a surrogate pair, which is not a valid character. Remove it.", e);
        }
        // An exception that names a parameter is about the entity.
        catch (ArgumentException e) when (e.ParamName is null)
        {
            throw new ArgumentException($"The key of the {Name} ({string.Join(", ", Key.Select(property => property.Name))}) cannot be stored: {e.Message}", e);
        }
    }

    /// <summary>Reads the values of a key, in the order of <see cref="Key"/>.</summary>
    /// <exception cref="InvalidDataException">The key does not match the class.</exception>
    internal object?[] ReadKey(DocumentKey key)
    {
        var reader = new OrderedKeyReader(key.Encoded.Span);
        object?[] values = new object?[Key.Count];
        for (int i = 0; i < values.Length; i++)
            values[i] = ((IIndexedCodec)Key[i].OrderedCodec!).ReadKey(ref reader);
        return values;
    }

    /// <summary>Returns the key that was written.</summary>
    /// <exception cref="ArgumentException">The key is too long.</exception>
    internal DocumentKey KeyOf(OrderedKeyWriter written) => written.Length <= DocumentKey.MaxLength
        ? new DocumentKey(written.ToArray())
        : throw new ArgumentException(
            $"The key of the {Name} ({string.Join(", ", Key.Select(property => property.Name))}) has {written.Length} encoded bytes. "
            + $"The limit is {DocumentKey.MaxLength}. Use a shorter key.");

    /// <exception cref="ArgumentException">The entity has a class that cannot be stored.</exception>
    internal abstract void WriteKey(object entity, OrderedKeyWriter writer);

    /// <summary>Generates the key of an entity that is to be added, if it has none and its class generates keys.</summary>
    internal abstract void GenerateKey(object entity, KeyGenerator keys);

    /// <summary>
    /// Returns the key that has these values, in the order of <see cref="Key"/>. Returns null if no entity can have the key, because it is
    /// too long, or because a value is null or not valid Unicode.
    /// </summary>
    /// <exception cref="ArgumentException">The number of values is wrong, or a value has the wrong type.</exception>
    internal DocumentKey? FindKey(ReadOnlySpan<object?> values)
    {
        if (values.Length == Key.Count)
        {
            foreach (object? value in values)
            {
                if (value is null || (value is string text && !IsText(text)))
                    return null;
            }
        }
        var written = WriteKey(values);
        return written.Length <= DocumentKey.MaxLength ? new DocumentKey(written.ToArray()) : default(DocumentKey?);
    }

    static bool IsText(string text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            if (char.IsSurrogate(text[i]) && !(char.IsHighSurrogate(text[i]) && ++i < text.Length && char.IsLowSurrogate(text[i])))
                return false;
        }
        return true;
    }

    OrderedKeyWriter WriteKey(ReadOnlySpan<object?> values)
    {
        if (values.Length != Key.Count)
        {
            throw new ArgumentException(
                $"The key of {Name} has {Key.Count} value(s) ({string.Join(", ", Key.Select(property => property.Name))}), "
                + $"but {values.Length} were given."
                + (values is [.., CancellationToken] ? " The last one is a cancellation token. Put the key into brackets: FindAsync([key], cancellationToken)." : ""),
                nameof(values));
        }
        var writer = new OrderedKeyWriter();
        for (int i = 0; i < values.Length; i++)
        {
            if (values[i] is null || !Key[i].OrderedCodec!.TryWriteOrdered(writer, values[i]))
            {
                throw new ArgumentException(
                    $"The key property {Key[i].Name} of {Name} is of type {Key[i].Type.Name}, "
                    + $"but the given value is {(values[i] is { } value ? $"of type {value.GetType().Name}" : "null")}.", nameof(values));
            }
        }
        return writer;
    }

    /// <summary>Checks the rules of an entity that is to be stored.</summary>
    internal void Validate(object entity, DocumentKey key, List<ValidationError> errors)
    {
        if (Expiry?.GetValue(entity) is DateTimeOffset expires && (expires < FirstExpiry || expires > LastExpiry))
            errors.Add(new ValidationError(Name, key, Expiry.Name, string.Create(CultureInfo.InvariantCulture, $"is {expires:u}. An entity expires from {FirstExpiry:u} to {LastExpiry:u}; set the property, or make it nullable.")));
        foreach (var property in Validated)
        {
            object? value = property.GetValue(entity);
            if (value is null)
            {
                if (property.IsRequired && IsOwnerPresent(property, entity))
                    errors.Add(new ValidationError(Name, key, property.Name, ValueProblems.Missing));
                continue;
            }
            if (ValueProblems.TooLong(value, property.MaxLength) is { } tooLong)
                errors.Add(new ValidationError(Name, key, property.Name, tooLong));
            if (property.Check is { } check)
            {
                var problems = new ValueProblems(property.Name);
                check(value, problems);
                errors.AddRange(problems.Found.Select(found => new ValidationError(Name, key, found.Path, found.Problem)));
            }
        }
    }

    bool IsOwnerPresent(PropertyModel property, object entity)
    {
        if (property.DerivedType?.IsInstanceOfType(entity) == false)
            return false;
        int dot = property.Name.LastIndexOf('.');
        return dot < 0 || FindProperty(property.Name[..dot])?.GetValue(entity) is not null;
    }
}
