using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;

namespace Datacake.Data.Analyzers;

/// <summary>
/// The data about a context class that the generator needs. Specs hold no symbols and compare by value, so that unchanged ones cost
/// nothing.
/// </summary>
sealed record ContextSpec(
    string FullName,
    string? Namespace,
    string Name,
    EquatableArray<string> ContainingTypes,
    EquatableArray<KeyspaceSpec> Keyspaces,
    EquatableArray<EntitySpec> Entities,
    EquatableArray<DiagnosticSpec> Diagnostics)
{
    /// <summary>True if the generated part can be merged with the user's.</summary>
    public bool IsPartial { get; init; }

    /// <summary>Gets the converters that are given as lambdas.</summary>
    public EquatableArray<ConverterFieldSpec> Converters { get; init; }

    /// <summary>Gets the query filters, which are conditions of every query.</summary>
    public EquatableArray<FilterSpec> Filters { get; init; }

    /// <summary>Gets the entities that a new cluster starts with.</summary>
    public EquatableArray<SeedSpec> Seeds { get; init; }

    /// <summary>Gets the identifier of the context in the names of generated classes.</summary>
    public string Identifier { get; init; } = "";

    /// <summary>Gets the relations between the entity classes.</summary>
    public EquatableArray<RelationSpec> Relations { get; init; }
}

/// <summary>The using directives that apply to code of the model that is copied to the generated part of the context.</summary>
/// <param name="FileUsings">The using directives of the file.</param>
/// <param name="NamespaceUsings">The using directives of the namespace.</param>
sealed record ScopeSpec(EquatableArray<string> FileUsings, EquatableArray<string> NamespaceUsings);

/// <summary>A query filter, which is a condition of every query for entities of a class.</summary>
/// <param name="EntityType">The entity class.</param>
/// <param name="Name">The name by which a query can ignore the filter; null if it has none.</param>
/// <param name="Condition">The condition, as a lambda.</param>
/// <param name="Scope">The scope of the code.</param>
sealed record FilterSpec(string EntityType, string? Name, string Condition, ScopeSpec Scope);

/// <summary>Entities that a new cluster starts with.</summary>
/// <param name="EntityType">The entity class.</param>
/// <param name="Entities">An expression for all entities.</param>
/// <param name="Scope">The scope of the code.</param>
sealed record SeedSpec(string EntityType, string Entities, ScopeSpec Scope);

/// <summary>A keyspace property of a context. <paramref name="ModelName"/> is null if the entity class has errors.</summary>
sealed record KeyspaceSpec(string Modifiers, string Property, string EntityType, string KeyspaceName, string? ModelName);

/// <summary>An entity class.</summary>
sealed record EntitySpec(
    string Type,
    string FullName,
    string ModelName,
    bool DeleteWins,
    EquatableArray<ClassSpec> Classes,
    EquatableArray<PropertySpec> Properties,
    EquatableArray<IndexSpec> Indexes)
{
    /// <summary>
    /// The value of <see cref="KeyGenerator"/> if no keys are generated, but a key of 0, or of another default value, is rejected because
    /// it was not set.
    /// </summary>
    public const string UnsetKey = "";

    /// <summary>The value of <see cref="KeyGenerator"/> if a key of 0 is replaced by the next number of a sequence when the entity is saved.</summary>
    public const string NumberedKey = "#";

    /// <summary>
    /// Gets the method of the key generator that generates keys, <see cref="UnsetKey"/> or <see cref="NumberedKey"/>; null if the user always sets them.
    /// </summary>
    public string? KeyGenerator { get; init; }

    /// <summary>True if only serial transactions write the entities.</summary>
    public bool IsSerial { get; init; }

    /// <summary>Gets the time after which entities expire, in ticks; null if they do not.</summary>
    public long? ExpiresAfter { get; init; }

    /// <summary>True if the class of an entity is stored with it.</summary>
    public bool HasDiscriminator { get; init; }

    /// <summary>Gets the classes whose objects are stored as one value, in lists and dictionaries.</summary>
    public EquatableArray<ObjectSpec> Objects { get; init; }

    /// <summary>Gets the navigation properties, which are not stored.</summary>
    public EquatableArray<NavigationSpec> Navigations { get; init; }

    /// <summary>Gets the generated fields with the relations of the class.</summary>
    public EquatableArray<string> Relations { get; init; }
}

/// <summary>A class whose objects are stored as one value, and the name of its codec.</summary>
/// <param name="Type">The class.</param>
/// <param name="CodecName">The name of its codec.</param>
/// <param name="IsStruct">True for a struct, which is never null.</param>
/// <param name="IsSealed">True if no class derives from the class.</param>
/// <param name="Where">The place of such objects, for messages.</param>
/// <param name="Constructor">The constructor that creates an object.</param>
/// <param name="Properties">The properties that are stored.</param>
sealed record ObjectSpec(
    string Type, string CodecName, bool IsStruct, bool IsSealed, string Where, ConstructorSpec Constructor, EquatableArray<PropertySpec> Properties)
{
    /// <summary>True if a save validates anything in an object.</summary>
    public bool HasRules => Properties.Any(property => property.IsRequired || property.MaxLength is not null || property.Codec?.HasRules == true);
}

/// <summary>A class that entities of a keyspace can be of: the entity class, unless it is abstract, and those derived from it.</summary>
/// <param name="Type">The class.</param>
/// <param name="Discriminator">The value that is stored for the class.</param>
/// <param name="Constructor">The constructor that creates an entity.</param>
/// <param name="Lineage">The class and its base classes.</param>
sealed record ClassSpec(string Type, string Discriminator, ConstructorSpec Constructor, EquatableArray<string> Lineage);

/// <summary>A constructor that creates an object. If necessary, the call bypasses accessibility and required members.</summary>
/// <param name="Type">The class.</param>
/// <param name="IsDirect">True if the constructor can be called directly.</param>
/// <param name="Arguments">The arguments of the call.</param>
/// <param name="Access">The accessor, if the constructor cannot be called directly.</param>
sealed record ConstructorSpec(string Type, bool IsDirect, EquatableArray<ArgumentSpec> Arguments, AccessSpec Access)
{
    /// <summary>True if only obsolete code can call the constructor.</summary>
    public bool IsObsolete { get; init; }
}

/// <summary>
/// An argument of a constructor: the path of the property that it sets, if it sets one; its type; and its value if the store has none.
/// </summary>
sealed record ArgumentSpec(string Type, string? Path, string Missing);

enum MappingKind
{
    Key,
    Value,
    Owned,
    Counter,
    Set,
    Dictionary,
    Discriminator,
}

enum SetterKind
{
    None,
    Direct,
    Accessor,

    /// <summary>No setter: the field behind the property is set.</summary>
    Field,
}

/// <summary>An expression for the codec of a type.</summary>
sealed record CodecSpec(string Expression, string ValueType, bool IsScalar)
{
    /// <summary>Gets the type of a field that holds the codec.</summary>
    public string Type => $"{Names.Support}{(IsScalar ? "Scalar" : "Value")}Codec<{ValueType}>";

    /// <summary>True if a save validates anything in values of the type.</summary>
    public bool HasRules { get; init; }

    /// <summary>True if each evaluation of the expression creates a codec.</summary>
    public bool CreatesCodec => Expression.EndsWith(")", StringComparison.Ordinal);
}

/// <summary>A converter from a property's values to values that can be stored, and the codec of these.</summary>
sealed record ConverterSpec(string Expression, string PropertyType, string StoredType, string StoredCodec);

/// <summary>A converter that <c>OnModelCreating</c> gives as two lambdas, as a field of the context.</summary>
/// <param name="Name">The name of the field.</param>
/// <param name="PropertyType">The type of the property.</param>
/// <param name="StoredType">The type that is stored.</param>
/// <param name="ToStored">The lambda that returns the value to store.</param>
/// <param name="FromStored">The lambda that returns the value of the property.</param>
/// <param name="Scope">The scope of the code.</param>
sealed record ConverterFieldSpec(string Name, string PropertyType, string StoredType, string ToStored, string FromStored, ScopeSpec Scope);

/// <summary>
/// A mapped property of an entity class, of a class derived from it, or of an owned class. <paramref name="Path"/> has the names in C#, and
/// <paramref name="StoredPath"/> those in the store.
/// </summary>
sealed record PropertySpec(
    string Name, string Path, string StoredPath, string Type, AccessSpec Access, MappingKind Kind, SetterKind Setter)
{
    /// <summary>Gets the minimum of the counter; null if there is none.</summary>
    public long? Minimum { get; init; }

    /// <summary>Gets the maximum of the counter; null if there is none.</summary>
    public long? Maximum { get; init; }

    /// <summary>Gets the field that is set instead of the property, if the property has no setter.</summary>
    public string? Field { get; init; }

    /// <summary>Gets the type of the field if it differs from that of the property, such as a list behind an interface.</summary>
    public string? FieldType { get; init; }

    /// <summary>Gets the fields that the property may have, if it is in a compiled class and has no setter.</summary>
    public HiddenFieldSpec? HiddenField { get; init; }

    /// <summary>
    /// Gets the derived class that alone has the property, or the owned object that contains it; null if all entities have it.
    /// </summary>
    public string? DerivedType { get; init; }

    /// <summary>Gets the codec of the value, or of a dictionary's values.</summary>
    public CodecSpec? Codec { get; init; }

    /// <summary>Gets the codec of a set's elements or a dictionary's keys.</summary>
    public CodecSpec? ElementCodec { get; init; }

    /// <summary>Gets the codec that writes the value into keys and indexes; null if there is none.</summary>
    public CodecSpec? OrderedCodec { get; init; }

    /// <summary>Gets the converter of the values; null if there is none.</summary>
    public ConverterSpec? Converter { get; init; }

    /// <summary>Gets the way in which the set or dictionary is created.</summary>
    public CollectionSpec? Collection { get; init; }

    /// <summary>True if the values of a dictionary cannot be null.</summary>
    public bool AreItemsRequired { get; init; }

    /// <summary>True if the value can be null.</summary>
    public bool IsNullable { get; init; }

    /// <summary>True if the type is a reference type.</summary>
    public bool IsReference { get; init; }

    /// <summary>True if the property belongs to a struct, which accessors take by reference.</summary>
    public bool IsOfStruct { get; init; }

    /// <summary>True if no class can derive from the type.</summary>
    public bool IsSealed { get; init; }

    public bool IsRequired { get; init; }

    public int? MaxLength { get; init; }

    /// <summary>True if a save checks that the stored value is still the one that was read.</summary>
    public bool IsConcurrencyToken { get; init; }

    /// <summary>True if a new entity gets the next number of a sequence when it is saved.</summary>
    public bool IsNumbered { get; init; }

    /// <summary>True if the property says when its entity expires.</summary>
    public bool IsExpiry { get; init; }

    /// <summary>True if only obsolete code can use the property.</summary>
    public bool IsObsolete { get; init; }

    /// <summary>Gets the type without its own annotation of nullable references.</summary>
    public string BareType { get; init; } = "";

    /// <summary>Gets the constructor that creates an owned object.</summary>
    public ConstructorSpec? Constructor { get; init; }

    /// <summary>Gets the properties of an owned object.</summary>
    public EquatableArray<PropertySpec> Children { get; init; }

    /// <summary>Returns the property and, for an owned object, all properties within it.</summary>
    public IEnumerable<PropertySpec> WithDescendants() => Children.SelectMany(child => child.WithDescendants()).Prepend(this);
}

/// <summary>
/// The fields that a property of a compiled class may have. The compiler does not show them, so the application looks for them when it
/// starts.
/// </summary>
/// <param name="Property">The name of the property.</param>
/// <param name="Owner">The class that declares the property.</param>
/// <param name="Fields">The fields, in the order of the search. The first one is the one that the compiler generates.</param>
/// <param name="LookedFor">The names and types of the others, for a message.</param>
sealed record HiddenFieldSpec(string Property, string Owner, EquatableArray<FieldSpec> Fields, string LookedFor);

/// <summary>A field that may exist.</summary>
/// <param name="Name">The name of the field.</param>
/// <param name="Access">The accessor of the field.</param>
/// <param name="Made">
/// A format for the expression that creates the value of the field from that of the property, <c>{0}</c>, and the current one of the field,
/// <c>{1}</c>; null if the field has the property's type.
/// </param>
sealed record FieldSpec(string Name, AccessSpec Access, string? Made);

/// <summary>An index on properties by their paths, each ascending or descending.</summary>
sealed record IndexSpec(string Name, EquatableArray<string> Properties, EquatableArray<bool> Descending)
{
    /// <summary>Gets the derived class whose entities alone are in the index; null if all entities are.</summary>
    public string? DerivedType { get; init; }

    /// <summary>True if no two entities have the same values.</summary>
    public bool IsUnique { get; init; }
}

/// <summary>A diagnostic to report. Its location in the source code is held by value.</summary>
sealed record DiagnosticSpec(
    DiagnosticDescriptor Descriptor, string? FilePath, TextSpan Span, LinePositionSpan Lines, EquatableArray<string> Arguments)
{
    public static DiagnosticSpec Of(DiagnosticDescriptor descriptor, Location? location, params string[] arguments) => new(
        descriptor, location?.SourceTree?.FilePath, location?.SourceSpan
            ?? default, location?.GetLineSpan().Span ?? default, new(arguments));

    public Diagnostic ToDiagnostic() => Diagnostic.Create(
        Descriptor, FilePath is null ? Location.None : Location.Create(FilePath, Span, Lines), [.. Arguments]);
}
