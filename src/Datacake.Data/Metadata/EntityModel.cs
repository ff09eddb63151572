using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Text;
using Datacake.Crdt;
using Datacake.Data.Querying;
using Datacake.EventualConsistency;

namespace Datacake.Data.Metadata;

/// <summary>
/// How the entities of one class are stored: its properties, key and indexes, and through the generated subclass its codec. Immutable and
/// thread-safe. Made by the source generator.
/// </summary>
public abstract partial class EntityModel
{
    readonly FrozenDictionary<string, PropertyModel> _propertiesByName;
    volatile bool _hasMembers;

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
        _propertiesByName = properties.ToFrozenDictionary(property => property.Name);
    }

    /// <summary>The entity class.</summary>
    public Type Type { get; }

    /// <summary>The name of the entity class.</summary>
    public string Name => Type.Name;

    /// <summary>What becomes of an entity that one node deletes and another updates at the same time.</summary>
    public MergePolicy Policy { get; }

    /// <summary>
    /// The classes that its entities can be of, if there are several: this one, unless it is abstract, and those derived from it. If there
    /// are not, it is empty.
    /// </summary>
    public IReadOnlyList<ClassModel> Classes { get; }

    /// <summary>The mapped properties, each owned object before its own.</summary>
    public IReadOnlyList<PropertyModel> Properties { get; }

    /// <summary>The properties that are the key, in its order.</summary>
    public IReadOnlyList<PropertyModel> Key { get; }

    /// <summary>The indexes.</summary>
    public IReadOnlyList<IndexModel> Indexes { get; }

    /// <summary>The properties that a save checks to be stored as they were read.</summary>
    public IReadOnlyList<PropertyModel> ConcurrencyTokens { get; }

    /// <summary>The property of this name, or null if there is none or it is not mapped.</summary>
    public PropertyModel? FindProperty(string name) => _propertiesByName.GetValueOrDefault(name);

    /// <summary>Whether an object that the property belongs to can be set, and the property with it.</summary>
    internal bool IsSetWithOwner(PropertyModel property)
    {
        int dot = property.Name.LastIndexOf('.');
        return dot > 0 && FindProperty(property.Name[..dot]) is { } owner && (owner.Setter is not null || IsSetWithOwner(owner));
    }

    /// <summary>
    /// Looks for the members of compiled classes that the compiler did not show to the generator. For generated code; called once, when the first context is made.
    /// </summary>
    /// <param name="members">Takes the members, there or not.</param>
    protected virtual void CheckMembers(HiddenMembers members)
    {
    }

    /// <summary>Returns which of several fields of a compiled class is there, or -1 if none is. For generated code.</summary>
    /// <param name="owner">A class that has the field.</param>
    /// <param name="uses">Use a field of an object each.</param>
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

    /// <summary>Checks that an object within an entity is of the class that it is stored as, and of none derived from that. For generated code.</summary>
    /// <param name="value">The object, or null.</param>
    /// <param name="declared">The class.</param>
    /// <param name="property">Where it is.</param>
    /// <exception cref="ArgumentException">It would come back as another class.</exception>
    protected static void CheckClass(object? value, Type declared, string property)
    {
        ArgumentNullException.ThrowIfNull(declared);
        if (value is not null && value.GetType() != declared)
        {
            throw new PropertyValueException(
                property,
                $"has a {value.GetType().Name}, which would come back as a {declared.Name}, without what {value.GetType().Name} has besides. "
                    + $"Store a {declared.Name}, or give the property the type {value.GetType().Name}.");
        }
    }

    /// <summary>Looks for the members that the compiler did not show, unless they were found before.</summary>
    internal void CheckMembersOnce(HiddenMembers members)
    {
        if (_hasMembers)
            return;
        int missing = members.MissingCount;
        CheckMembers(members);
        _hasMembers = members.MissingCount == missing;
    }

    internal CellPath[] Paths { get; }

    /// <summary>The properties that have rules.</summary>
    PropertyModel[] Validated { get; }

    /// <summary>What was compiled for queries of these entities.</summary>
    internal CompiledExpressions Expressions => field ??= new(this);

    /// <summary>Tells collections of entities that compare them by a comparer of their own.</summary>
    internal abstract ElementEquality Equality { get; }

    /// <summary>Writes entities as their keys.</summary>
    internal KeyCodec KeyCodec => field ??= new(this);

    internal PlanCache Plans { get; } = new();

    /// <summary>The indexes that have met a document whose value they cannot read, in any store of this process.</summary>
    internal ConcurrentDictionary<string, bool> IndexesWithUnreadable { get; } = [];

    internal GivenWarnings ScanWarnings { get; } = new();

    /// <summary>Whether entities of this very class can be stored.</summary>
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

    /// <summary>Which class an entity is of that is stored as the document, if there are several; null if it cannot be read.</summary>
    internal abstract ClassModel? ClassOf(Document document);

    /// <summary>An entity of a class of which nothing else is stored.</summary>
    internal abstract Document Sample(ClassModel known);

    /// <summary>The stored names of the properties that a document lacks and whose initializers give another value each time.</summary>
    internal abstract IReadOnlyCollection<string> FindLacking(Document document);

    /// <summary>What of an entity that is stored as the document comes from its class, where the document has nothing.</summary>
    internal abstract EntityDefaults DefaultsOf(Document document);

    /// <summary>The entry of an entity that is not tracked yet.</summary>
    internal abstract EntityEntry CreateEntry(ChangeTracker tracker, KeyspaceModel keyspace, object entity);

    internal abstract object ReadEntity(DocumentKey key, Document document);

    internal abstract object ReadEntity(DocumentKey key, EntityContent content);

    internal abstract EntityContent Encode(object entity, CellWriter writer);

    /// <exception cref="ArgumentException">The entity is of a class that cannot be stored.</exception>
    internal DocumentKey KeyOf(object entity) => KeyOf(entity, new OrderedKeyWriter(32));

    /// <exception cref="ArgumentException">The entity is of a class that cannot be stored.</exception>
    internal DocumentKey KeyOf(object entity, OrderedKeyWriter writer)
    {
        WriteKeyAnew(entity, writer);
        return KeyOf(writer);
    }

    /// <summary>Writes the key of an entity in place of what was written.</summary>
    /// <exception cref="ArgumentException">The entity is of a class that cannot be stored, or its key is not one.</exception>
    internal void WriteKeyAnew(object entity, OrderedKeyWriter writer)
    {
        writer.Truncate();
        try
        {
            WriteKey(entity, writer);
        }
        catch (ArgumentException e) when (e.InnerException is EncoderFallbackException)
        {
            throw new ArgumentException(
                $"The key of the {Name} ({string.Join(", ", Key.Select(property => property.Name))}) has half of a surrogate pair, which is not a character. Remove it.", e);
        }
        // With the name of a parameter, it is about the entity.
        catch (ArgumentException e) when (e.ParamName is null)
        {
            throw new ArgumentException($"The key of the {Name} ({string.Join(", ", Key.Select(property => property.Name))}) cannot be stored: {e.Message}", e);
        }
    }

    /// <summary>The key that was written.</summary>
    /// <exception cref="ArgumentException">It is too long.</exception>
    internal DocumentKey KeyOf(OrderedKeyWriter written) => written.Length <= DocumentKey.MaxLength
        ? new DocumentKey(written.ToArray())
        : throw new ArgumentException(
            $"The key of the {Name} ({string.Join(", ", Key.Select(property => property.Name))}) has {written.Length} encoded bytes; at most "
            + $"{DocumentKey.MaxLength} are possible. Give it a shorter one.");

    /// <exception cref="ArgumentException">The entity is of a class that cannot be stored.</exception>
    internal abstract void WriteKey(object entity, OrderedKeyWriter writer);

    /// <summary>Gives an entity that is to be added a key, if it has none and its class says so.</summary>
    internal abstract void GenerateKey(object entity, KeyGenerator keys);

    /// <summary>The key that has these values, in the order of <see cref="Key"/>.</summary>
    /// <exception cref="ArgumentException">There are too many or too few, or one is of another type.</exception>
    internal DocumentKey KeyOf(ReadOnlySpan<object?> values) => KeyOf(WriteKey(values));

    /// <summary>Returns the key that has these values, in the order of <see cref="Key"/>; null if no entity can have it: it is too long, or a value is null or no text.</summary>
    /// <exception cref="ArgumentException">There are too many or too few, or one is of another type.</exception>
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
                + $"and {values.Length} were given."
                + (values is [.., CancellationToken] ? " A cancellation token stands beside the key: FindAsync([key], cancellationToken)." : ""),
                nameof(values));
        }
        var writer = new OrderedKeyWriter();
        for (int i = 0; i < values.Length; i++)
        {
            if (values[i] is null || !Key[i].OrderedCodec!.TryWriteOrdered(writer, values[i]))
            {
                throw new ArgumentException(
                    $"The key property {Key[i].Name} of {Name} is of type {Key[i].Type.Name}, "
                    + $"and the value given is {values[i]?.GetType().Name ?? "null"}.", nameof(values));
            }
        }
        return writer;
    }

    /// <summary>What is wrong with an entity, before it is stored.</summary>
    internal void Validate(object entity, DocumentKey key, List<ValidationError> errors)
    {
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
