using System.Reflection;
using System.Runtime.CompilerServices;
using Datacake.Data.CodeGeneration;
using Datacake.Data.Values;

namespace Datacake.Data;

/// <summary>A mapped property of an entity class.</summary>
/// <param name="name">The property name; for a nested property, a path such as <c>Address.City</c>.</param>
/// <param name="type">The type of the property.</param>
/// <param name="kind">The kind of mapping.</param>
/// <param name="get">Reads the property of an entity; returns null if an owned object on the path is null.</param>
public sealed class PropertyModel(string name, Type type, PropertyKind kind, Func<object, object?> get)
{
    volatile int _accessors;    // 1 if they are generated, -1 if not, 0 until it is known; to find out takes longer than a short query

    /// <summary>Gets the property name; for a nested property, a path such as <c>Address.City</c>.</summary>
    public string Name { get; } = name;

    /// <summary>Gets the name of the property's cells in the store. For a renamed property, it is the former name.</summary>
    public string StoredName { get => field ?? Name; init; }

    /// <summary>Gets the derived class that the property belongs to; null if all entities have it.</summary>
    public Type? DerivedType { get; init; }

    /// <summary>
    /// True if the property is stored through a converter. Keys and indexes then compare and sort its values by their stored form.
    /// </summary>
    public bool IsConverted { get; init; }

    /// <summary>Gets the type of the property.</summary>
    public Type Type { get; } = type;

    /// <summary>Gets the kind of mapping.</summary>
    public PropertyKind Kind { get; } = kind;

    /// <summary>True if the property can be null.</summary>
    public bool IsNullable { get; init; }

    /// <summary>
    /// True if null is rejected before anything is stored, because of <c>[Required]</c> or a reference type that is not nullable.
    /// </summary>
    public bool IsRequired { get; init; }

    /// <summary>
    /// Gets the maximum length of a string, or number of elements, from <c>[MaxLength]</c> or <c>[StringLength]</c>; null if there is none.
    /// </summary>
    public int? MaxLength { get; init; }

    /// <summary>
    /// True if a save of the entity fails when the local store has a different value of the property than was read
    /// (<c>[ConcurrencyCheck]</c>).
    /// </summary>
    public bool IsConcurrencyToken { get; init; }

    /// <summary>
    /// True if a new entity of a serial class that has the value 0 gets the next number when it is saved: an <c>int</c> or <c>long</c> key, or a property with
    /// <c>[DatabaseGenerated]</c>. The numbers have no gaps.
    /// </summary>
    public bool IsNumbered { get; init; }

    /// <summary>True if the property says when its entity expires.</summary>
    public bool IsExpiry { get; init; }

    /// <summary>
    /// Gets the codec that writes values, or the elements of a set, into keys and indexes; null if that is not supported.
    /// </summary>
    public IOrderedCodec? OrderedCodec { get; init; }

    /// <summary>Gets the codec of a value that is not single, or of a dictionary's values. For generated code.</summary>
    public ValueCodec? Codec { get; init; }

    /// <summary>Gets the codec of a dictionary's keys. For generated code.</summary>
    public ValueCodec? KeyCodec { get; init; }

    /// <summary>Gets the function that returns the entries of a dictionary. For generated code.</summary>
    public Func<object, IEnumerable<KeyValuePair<object, object?>>>? Entries { get; init; }

    /// <summary>
    /// Gets the function that checks the objects and items within a value; null if there is nothing to check. For generated code.
    /// </summary>
    public Action<object, ValueProblems>? Check { get; init; }

    /// <summary>
    /// Gets the function that sets the property of an entity, or the elements of a collection without a setter; null if it cannot be set.
    /// </summary>
    public Action<object, object?>? Setter { get; init; }

    /// <summary>True if all values have about the same length in an index, so that none is ever cut off.</summary>
    internal bool HasFixedLength =>
        (Nullable.GetUnderlyingType(Type) ?? Type) is var type && (type.IsPrimitive || type.IsEnum || type == typeof(decimal) || type == typeof(Guid) || type == typeof(DateTime)
            || type == typeof(DateTimeOffset) || type == typeof(DateOnly) || type == typeof(TimeOnly) || type == typeof(TimeSpan));

    /// <summary>Gets the structure of the values: of a set its elements, and of a dictionary its values. An owned object has none, because its properties are mapped one by one.</summary>
    internal ValueShape? Shape => Kind switch
    {
        PropertyKind.Owned => null,
        PropertyKind.Counter => new ScalarShape(Type),
        _ => (Codec ?? OrderedCodec as ValueCodec)?.Shape,
    };

    /// <summary>Gets the structure of a dictionary's keys; null if the property is no dictionary.</summary>
    internal ValueShape? KeyShape => KeyCodec?.Shape;

    /// <summary>
    /// True if the accessors of the property are those that the compiler generates, which return what was set. Others may return anything, and so may those of an overriding property.
    /// </summary>
    /// <param name="member">The property.</param>
    /// <param name="entity">The entity class.</param>
    internal bool HasGeneratedAccessors(PropertyInfo member, Type entity)
    {
        if (_accessors is 0)
        {
            bool areGenerated = member is { GetMethod: { } get, SetMethod: { } set } && (!get.IsVirtual || get.IsFinal || member.DeclaringType == entity)
                && get.IsDefined(typeof(CompilerGeneratedAttribute), false) && set.IsDefined(typeof(CompilerGeneratedAttribute), false);
            _accessors = areGenerated ? 1 : -1;
        }
        return _accessors > 0;
    }

    /// <summary>Returns the value of the property of an entity.</summary>
    public object? GetValue(object entity) => get(entity);

    /// <inheritdoc/>
    public override string ToString() => $"{Name}: {Kind} of {Type.Name}";
}
