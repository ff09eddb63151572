using Microsoft.CodeAnalysis;

namespace Datacake.Data.Analyzers;

/// <summary>Names of symbols, and attributes by their names.</summary>
static class Names
{
    /// <summary>The namespace of our attributes, and that of .NET's.</summary>
    public const string Data = "Datacake.Data.", Annotations = "System.ComponentModel.DataAnnotations.";

    static readonly SymbolDisplayFormat WithNamespaces = new(
        SymbolDisplayGlobalNamespaceStyle.Omitted,
        typeQualificationStyle: SymbolDisplayTypeQualificationStyle.NameAndContainingTypesAndNamespaces);

    /// <summary>The type in source, with the annotations of nullable references.</summary>
    public static readonly SymbolDisplayFormat WithNullability = SymbolDisplayFormat.FullyQualifiedFormat.AddMiscellaneousOptions(
        SymbolDisplayMiscellaneousOptions.IncludeNullableReferenceTypeModifier);

    /// <summary>The name with the namespace, without type parameters.</summary>
    public static string FullName(ISymbol symbol) => symbol.ToDisplayString(WithNamespaces);

    /// <summary>An identifier that is unique to a type.</summary>
    public static string Identifier(ITypeSymbol type)
    {
        string name = new([.. FullName(type).Replace("_", "__").Select(letter => char.IsLetterOrDigit(letter) ? letter : '_')]);
        // The arguments, also those of a type around it, are told apart by a hash: spelled out they could be read in two ways.
        string full = type.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat);
        return full.Contains('<') ? $"{name}_{HashOf(full)}" : name;
    }

    public static string HashOf(string text)
    {
        uint hash = 2_166_136_261;
        foreach (char letter in text)
            hash = unchecked((hash ^ letter) * 16_777_619);
        return $"{hash:x8}";
    }

    /// <summary>A name for a generated file, which must differ from others by more than case.</summary>
    public static string FileOf(string name)
    {
        string readable = new([.. name.Select(letter => char.IsLetterOrDigit(letter) || letter is '_' or '.' ? letter : '-')]);
        return $"{readable}.{HashOf(name)}";
    }

    /// <summary>True if a type has this full name: mostly its last part says no, and the whole name is costly.</summary>
    static bool Is(INamedTypeSymbol? type, string name) => type is not null && name.EndsWith(type.Name, StringComparison.Ordinal) && FullName(type) == name;

    /// <summary>The type in source, with the annotations of nullable references.</summary>
    public static string Of(ITypeSymbol type) => KeywordOf(type.SpecialType) is { } keyword
        ? (type.NullableAnnotation == NullableAnnotation.Annotated && type.IsReferenceType ? keyword + "?" : keyword)
        : type.ToDisplayString(WithNullability);

    /// <summary>Most properties are of these types, whose names need not be made up.</summary>
    public static string? KeywordOf(SpecialType type) => type switch
    {
        SpecialType.System_Boolean => "bool",
        SpecialType.System_Byte => "byte",
        SpecialType.System_Int16 => "short",
        SpecialType.System_Int32 => "int",
        SpecialType.System_Int64 => "long",
        SpecialType.System_Double => "double",
        SpecialType.System_Decimal => "decimal",
        SpecialType.System_String => "string",
        _ => null,
    };

    /// <summary>The first attribute of this full name.</summary>
    public static AttributeData? Find(this ISymbol symbol, string attribute) =>
        symbol.FindAll(attribute).FirstOrDefault();

    /// <summary>All attributes of this full name.</summary>
    public static IEnumerable<AttributeData> FindAll(this ISymbol symbol, string attribute) =>
        AttributesOf(symbol).Where(candidate => Is(candidate.AttributeClass, attribute));

    /// <summary>The attributes of a symbol; those of a record's property are also on the parameter that declares it.</summary>
    static IEnumerable<AttributeData> AttributesOf(ISymbol symbol) => symbol is IPropertySymbol { ContainingType: { IsRecord: true } record }
        ? symbol.GetAttributes().Concat(record.InstanceConstructors
            .SelectMany(constructor => constructor.Parameters)
            .Where(parameter => parameter.Name == symbol.Name && SymbolEqualityComparer.Default.Equals(parameter.Type, ((IPropertySymbol)symbol).Type))
            .SelectMany(parameter => parameter.GetAttributes()))
        : symbol.GetAttributes();
}
