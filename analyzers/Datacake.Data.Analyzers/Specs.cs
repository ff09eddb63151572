using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;

namespace Datacake.Data.Analyzers;

/// <summary>
/// What the generator has to know of a context class. Specs hold no symbols and compare by value, so that unchanged ones cost nothing.
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
    /// <summary>Whether the generated part can be merged with the user's.</summary>
    public bool IsPartial { get; init; }

    /// <summary>The converters that it gives as lambdas.</summary>
    public EquatableArray<ConverterFieldSpec> Converters { get; init; }

    /// <summary>The conditions that are part of every query.</summary>
    public EquatableArray<FilterSpec> Filters { get; init; }

    /// <summary>The entities that a new cluster begins with.</summary>
    public EquatableArray<SeedSpec> Seeds { get; init; }

    /// <summary>Gets what stands for it in the names of generated classes.</summary>
    public string Identifier { get; init; } = "";

    /// <summary>The relations between its entity classes.</summary>
    public EquatableArray<RelationSpec> Relations { get; init; }
}

/// <summary>Says where code of the model was written that the generated part of the context repeats: what it was under.</summary>
/// <param name="FileUsings">The using directives of the file.</param>
/// <param name="NamespaceUsings">Those of its namespace.</param>
sealed record ScopeSpec(EquatableArray<string> FileUsings, EquatableArray<string> NamespaceUsings);

/// <summary>A condition that is part of every query for entities of a class.</summary>
/// <param name="EntityType">The class.</param>
/// <param name="Name">The name to leave it out by; null if it has none.</param>
/// <param name="Condition">A lambda.</param>
/// <param name="Scope">Where it was written.</param>
sealed record FilterSpec(string EntityType, string? Name, string Condition, ScopeSpec Scope);

/// <summary>Entities that a new cluster begins with.</summary>
/// <param name="EntityType">Their class.</param>
/// <param name="Entities">An expression for all of them.</param>
/// <param name="Scope">Where it was written.</param>
sealed record SeedSpec(string EntityType, string Entities, ScopeSpec Scope);

/// <summary>A keyspace property of a context. <paramref name="ModelName"/> is null if its entity class has errors.</summary>
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
    /// <summary>In place of a method of the key generator: no values are made, and a key of 0, or another default, is refused as one that was not set.</summary>
    public const string UnsetKey = "";

    /// <summary>What the next key value is made by, or null if keys are always the user's: a method of the key generator.</summary>
    public string? KeyGenerator { get; init; }

    /// <summary>Whether which class an entity is of is stored with it.</summary>
    public bool HasDiscriminator { get; init; }

    /// <summary>The classes whose objects are stored as one value, in lists and dictionaries.</summary>
    public EquatableArray<ObjectSpec> Objects { get; init; }

    /// <summary>The properties that have related entities, which are not stored.</summary>
    public EquatableArray<NavigationSpec> Navigations { get; init; }

    /// <summary>The generated fields that have the relations that it takes part in.</summary>
    public EquatableArray<string> Relations { get; init; }
}

/// <summary>A class whose objects are stored as one value, and the name of its codec.</summary>
/// <param name="Type">The class.</param>
/// <param name="CodecName">The name of its codec.</param>
/// <param name="IsStructure">True if it is a structure, which is never null.</param>
/// <param name="IsSealed">True if no class is derived from it.</param>
/// <param name="Where">Where such objects are, for messages.</param>
/// <param name="Constructor">How one is created.</param>
/// <param name="Properties">What is stored of it.</param>
sealed record ObjectSpec(
    string Type, string CodecName, bool IsStructure, bool IsSealed, string Where, ConstructorSpec Constructor, EquatableArray<PropertySpec> Properties)
{
    /// <summary>True if it has something that a save checks.</summary>
    public bool HasRules => Properties.Any(property => property.IsRequired || property.MaxLength is not null || property.Codec?.HasRules == true);
}

/// <summary>A class that entities of a keyspace can be of: the entity class, unless it is abstract, and those derived from it.</summary>
/// <param name="Type">The class.</param>
/// <param name="Discriminator">What is stored for it.</param>
/// <param name="Constructor">How an entity of it is created.</param>
/// <param name="Lineage">It and those that it derives from.</param>
sealed record ClassSpec(string Type, string Discriminator, ConstructorSpec Constructor, EquatableArray<string> Lineage);

/// <summary>How an object is created: with these arguments, past accessibility and required members if need be.</summary>
/// <param name="Type">The class.</param>
/// <param name="IsDirect">True if it can be called as it is.</param>
/// <param name="Arguments">What it is called with.</param>
/// <param name="Access">How it is called otherwise.</param>
sealed record ConstructorSpec(string Type, bool IsDirect, EquatableArray<ArgumentSpec> Arguments, AccessSpec Access)
{
    /// <summary>True if only obsolete code can call it.</summary>
    public bool IsObsolete { get; init; }
}

/// <summary>
/// An argument of a constructor: the property that it sets (by path), or none; its type, and what it is when the store has no value.
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

    /// <summary>There is none: the field behind the property is set.</summary>
    Field,
}

/// <summary>An expression that gives the codec of a type.</summary>
sealed record CodecSpec(string Expression, string ValueType, bool IsScalar)
{
    /// <summary>The type of a field that holds it.</summary>
    public string Type => $"global::Datacake.Data.Metadata.{(IsScalar ? "Scalar" : "Value")}Codec<{ValueType}>";

    /// <summary>True if values of the type have something in them that a save checks.</summary>
    public bool HasRules { get; init; }

    /// <summary>Whether each evaluation would make a new one.</summary>
    public bool IsMade => Expression.EndsWith(")", StringComparison.Ordinal);
}

/// <summary>A converter of a property's values to ones that can be stored, and the codec of those.</summary>
sealed record ConverterSpec(string Expression, string PropertyType, string StoredType, string StoredCodec);

/// <summary>A converter that <c>OnModelCreating</c> gives as two lambdas: a field of the context.</summary>
/// <param name="Name">The name of the field.</param>
/// <param name="PropertyType">The type of the property.</param>
/// <param name="StoredType">The type that is stored.</param>
/// <param name="ToStored">The lambda that gives what is stored.</param>
/// <param name="FromStored">The lambda that gives the value again.</param>
/// <param name="Scope">Where it was written.</param>
sealed record ConverterFieldSpec(string Name, string PropertyType, string StoredType, string ToStored, string FromStored, ScopeSpec Scope);

/// <summary>
/// A mapped property of an entity class, of one derived from it, or of an owned one. <paramref name="Path"/> has the names in C#,
/// <paramref name="StoredPath"/> those in the store.
/// </summary>
sealed record PropertySpec(
    string Name, string Path, string StoredPath, string Type, AccessSpec Access, MappingKind Kind, SetterKind Setter)
{
    /// <summary>The field that is set in place of the property, if it has no setter.</summary>
    public string? Field { get; init; }

    /// <summary>The type of that field, if it is another than the property's: a list behind an interface.</summary>
    public string? FieldType { get; init; }

    /// <summary>The fields that it may have, if it is of a compiled class and has no setter.</summary>
    public HiddenFieldSpec? HiddenField { get; init; }

    /// <summary>The derived class that alone has it, or the owned object that it is in; null if all entities have it.</summary>
    public string? DerivedType { get; init; }

    /// <summary>The codec of the value, or of a dictionary's values.</summary>
    public CodecSpec? Codec { get; init; }

    /// <summary>The codec of a set's elements or a dictionary's keys.</summary>
    public CodecSpec? ElementCodec { get; init; }

    /// <summary>The codec that writes it into keys and indexes, if there is one.</summary>
    public CodecSpec? OrderedCodec { get; init; }

    /// <summary>What its values are converted with, if they are.</summary>
    public ConverterSpec? Converter { get; init; }

    /// <summary>Gets how the set or dictionary is made.</summary>
    public CollectionSpec? Collection { get; init; }

    /// <summary>True if the values of a dictionary cannot be null.</summary>
    public bool AreItemsRequired { get; init; }

    /// <summary>Whether null is a value of it.</summary>
    public bool IsNullable { get; init; }

    /// <summary>Whether it is a reference type.</summary>
    public bool IsReference { get; init; }

    /// <summary>True if it belongs to a structure, which accessors take by reference.</summary>
    public bool IsOfStructure { get; init; }

    /// <summary>True if it is an object of a class from which no other is derived.</summary>
    public bool IsSealed { get; init; }

    public bool IsRequired { get; init; }

    public int? MaxLength { get; init; }

    /// <summary>Whether a save checks that it is stored as it was read.</summary>
    public bool IsConcurrencyToken { get; init; }

    /// <summary>True if only obsolete code can use it.</summary>
    public bool IsObsolete { get; init; }

    /// <summary>The type without the annotation that it may be null.</summary>
    public string BareType { get; init; } = "";

    /// <summary>How an owned object is created.</summary>
    public ConstructorSpec? Constructor { get; init; }

    /// <summary>The properties of an owned object.</summary>
    public EquatableArray<PropertySpec> Children { get; init; }

    /// <summary>This property and, of an owned object, all below it.</summary>
    public IEnumerable<PropertySpec> WithDescendants() => Children.SelectMany(child => child.WithDescendants()).Prepend(this);
}

/// <summary>The fields that a property of a compiled class may have, of which the compiler shows none: they are looked for when the application starts.</summary>
/// <param name="Property">The name of the property.</param>
/// <param name="Owner">The class that the property is declared in.</param>
/// <param name="Fields">The fields, in the order in which they are looked for; the first is the one that the compiler makes.</param>
/// <param name="LookedFor">The names and types of the others, for a message.</param>
sealed record HiddenFieldSpec(string Property, string Owner, EquatableArray<FieldSpec> Fields, string LookedFor);

/// <summary>A field that may be there.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Access">How it is used.</param>
/// <param name="Made">What makes its value of that of the property, <c>{0}</c>, and its present one, <c>{1}</c>; null if it has the property's type.</param>
sealed record FieldSpec(string Name, AccessSpec Access, string? Made);

/// <summary>An index on properties by their paths, each ascending or descending.</summary>
sealed record IndexSpec(string Name, EquatableArray<string> Properties, EquatableArray<bool> Descending)
{
    /// <summary>The derived class whose entities alone are in it; null if all are.</summary>
    public string? DerivedType { get; init; }
}

/// <summary>A diagnostic to report, with its place in the source by value.</summary>
sealed record DiagnosticSpec(
    DiagnosticDescriptor Descriptor, string? FilePath, TextSpan Span, LinePositionSpan Lines, EquatableArray<string> Arguments)
{
    public static DiagnosticSpec Of(DiagnosticDescriptor descriptor, Location? location, params string[] arguments) => new(
        descriptor, location?.SourceTree?.FilePath, location?.SourceSpan
            ?? default, location?.GetLineSpan().Span ?? default, new(arguments));

    public Diagnostic ToDiagnostic() => Diagnostic.Create(
        Descriptor, FilePath is null ? Location.None : Location.Create(FilePath, Span, Lines), [.. Arguments]);
}
