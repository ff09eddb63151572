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
}

/// <summary>A keyspace property of a context. <paramref name="ModelName"/> is null if its entity class has errors.</summary>
sealed record KeyspaceSpec(string Modifiers, string Property, string EntityType, string KeyspaceName, string? ModelName);

/// <summary>An entity class.</summary>
sealed record EntitySpec(
    string Type,
    string FullName,
    string ModelName,
    bool DeleteWins,
    ConstructorSpec Constructor,
    EquatableArray<PropertySpec> Properties,
    EquatableArray<IndexSpec> Indexes);

/// <summary>How an object is created: with these arguments, past accessibility and required members if need be.</summary>
sealed record ConstructorSpec(string Type, bool IsDirect, EquatableArray<ArgumentSpec> Arguments);

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
}

enum SetterKind
{
    None,
    Direct,
    Accessor,
}

/// <summary>A mapped property of an entity class or of an owned one.</summary>
sealed record PropertySpec(string Name, string Path, string Type, string DeclaringType, MappingKind Kind, SetterKind Setter)
{
    /// <summary>The codec of the value, or of a dictionary's values.</summary>
    public string Codec { get; init; } = "";

    /// <summary>The codec of a set's elements or a dictionary's keys.</summary>
    public string ElementCodec { get; init; } = "";

    /// <summary>The codec that writes it into keys and indexes, if there is one.</summary>
    public string? OrderedCodec { get; init; }

    /// <summary>The type of a dictionary's values.</summary>
    public string ValueType { get; init; } = "";

    /// <summary>What creates an empty collection of the type.</summary>
    public string NewCollection { get; init; } = "";

    /// <summary>Whether null is a value of it.</summary>
    public bool IsNullable { get; init; }

    /// <summary>Whether it is a reference type.</summary>
    public bool IsReference { get; init; }

    public bool IsRequired { get; init; }

    public int? MaxLength { get; init; }

    /// <summary>Whether a save checks that it is stored as it was read.</summary>
    public bool IsConcurrencyToken { get; init; }

    /// <summary>The type without the annotation that it may be null.</summary>
    public string BareType { get; init; } = "";

    /// <summary>How an owned object is created.</summary>
    public ConstructorSpec? Constructor { get; init; }

    /// <summary>The properties of an owned object.</summary>
    public EquatableArray<PropertySpec> Children { get; init; }

    /// <summary>This property and, of an owned object, all below it.</summary>
    public IEnumerable<PropertySpec> WithDescendants() => Children.SelectMany(child => child.WithDescendants()).Prepend(this);
}

/// <summary>An index on properties by their paths.</summary>
sealed record IndexSpec(string Name, EquatableArray<string> Properties);

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
