namespace Datacake.Data.Metadata;

/// <summary>A mapped property of an entity class.</summary>
/// <param name="name">Its name; nested ones are joined by dots.</param>
/// <param name="type">Its type.</param>
/// <param name="kind">How it is mapped.</param>
/// <param name="get">Reads it from an entity; null if an owned object on the way to it is.</param>
public sealed class PropertyModel(string name, Type type, PropertyKind kind, Func<object, object?> get)
{
    /// <summary>Its name; nested ones are joined by dots.</summary>
    public string Name { get; } = name;

    /// <summary>The name of its cells in the store, which it had before it was renamed.</summary>
    public string StoredName { get => field ?? Name; init; }

    /// <summary>The class derived from the entity class whose entities alone have it; null if all have it.</summary>
    public Type? DerivedType { get; init; }

    /// <summary>
    /// Whether it is stored as what a converter makes of it: keys and indexes find equal values, and order them by what is stored.
    /// </summary>
    public bool IsConverted { get; init; }

    /// <summary>Its type.</summary>
    public Type Type { get; } = type;

    /// <summary>How it is mapped.</summary>
    public PropertyKind Kind { get; } = kind;

    /// <summary>Whether null is a value of it.</summary>
    public bool IsNullable { get; init; }

    /// <summary>Whether null is refused before anything is stored: <c>[Required]</c>, or a reference type that is not nullable.</summary>
    public bool IsRequired { get; init; }

    /// <summary>The greatest length of a string, or number of elements, from <c>[MaxLength]</c> or <c>[StringLength]</c>.</summary>
    public int? MaxLength { get; init; }

    /// <summary>
    /// Whether a save of the entity fails if the local store has another value of it than was read: <c>[ConcurrencyCheck]</c>.
    /// </summary>
    public bool IsConcurrencyToken { get; init; }

    /// <summary>How its values, or a set's elements, are written into keys and indexes; null if they cannot be.</summary>
    public IOrderedCodec? OrderedCodec { get; init; }

    /// <summary>Checks the objects and items in a value of it; null if there is nothing to check. For generated code.</summary>
    public Action<object, ValueProblems>? Check { get; init; }

    /// <summary>Writes it to an entity, or what is in it if it is a collection without a setter; null if it cannot be written.</summary>
    public Action<object, object?>? Setter { get; init; }

    /// <summary>Reads it from an entity.</summary>
    public object? GetValue(object entity) => get(entity);

    /// <inheritdoc/>
    public override string ToString() => $"{Name}: {Kind} of {Type.Name}";
}
