using Microsoft.CodeAnalysis;

namespace Datacake.Data.Analyzers;

/// <summary>The names of symbols, and attributes by their names.</summary>
static class Names
{
    /// <summary>The namespaces of Datacake's attributes and of .NET's.</summary>
    public const string Data = "Datacake.Data.", Annotations = "System.ComponentModel.DataAnnotations.";

    /// <summary>The namespaces, in generated code, of the public API and of the types that only generated code uses.</summary>
    public const string Api = "global::Datacake.Data.", Support = Api + "CodeGeneration.";

    static readonly SymbolDisplayFormat WithNamespaces = new(
        SymbolDisplayGlobalNamespaceStyle.Omitted,
        typeQualificationStyle: SymbolDisplayTypeQualificationStyle.NameAndContainingTypesAndNamespaces);

    /// <summary>The format of a type in source code, with the annotations of nullable references.</summary>
    public static readonly SymbolDisplayFormat WithNullability = SymbolDisplayFormat.FullyQualifiedFormat.AddMiscellaneousOptions(
        SymbolDisplayMiscellaneousOptions.IncludeNullableReferenceTypeModifier);

    /// <summary>Returns the name with the namespace, without type parameters.</summary>
    public static string FullName(ISymbol symbol) => symbol.ToDisplayString(WithNamespaces);

    /// <summary>Returns an identifier that is unique to a type.</summary>
    public static string Identifier(ITypeSymbol type)
    {
        string name = new([.. FullName(type).Replace("_", "__").Select(letter => char.IsLetterOrDigit(letter) ? letter : '_')]);
        // A hash represents the type arguments, also those of containing types, because writing them out would be ambiguous.
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

    /// <summary>Returns a name for a generated file. The names of files must differ by more than case.</summary>
    public static string FileOf(string name)
    {
        string readable = new([.. name.Select(letter => char.IsLetterOrDigit(letter) || letter is '_' or '.' ? letter : '-')]);
        return $"{readable}.{HashOf(name)}";
    }

    /// <summary>
    /// True if a type has a full name. The last part is compared first, because it mostly differs and the full name is costly.
    /// </summary>
    static bool Is(INamedTypeSymbol? type, string name) => type is not null && name.EndsWith(type.Name, StringComparison.Ordinal) && FullName(type) == name;

    /// <summary>Returns a type as in source code, with the annotations of nullable references.</summary>
    public static string Of(ITypeSymbol type) => KeywordOf(type.SpecialType) is { } keyword
        ? (type.NullableAnnotation == NullableAnnotation.Annotated && type.IsReferenceType ? keyword + "?" : keyword)
        : type.ToDisplayString(WithNullability);

    /// <summary>
    /// Returns the keyword of a type; null if it has none. Most properties are of these types, so that their names need not be formatted.
    /// </summary>
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

    /// <summary>Returns the first attribute with a full name; null if there is none.</summary>
    public static AttributeData? Find(this ISymbol symbol, string attribute) =>
        symbol.FindAll(attribute).FirstOrDefault();

    /// <summary>Returns all attributes with a full name.</summary>
    public static IEnumerable<AttributeData> FindAll(this ISymbol symbol, string attribute) =>
        AttributesOf(symbol).Where(candidate => Is(candidate.AttributeClass, attribute));

    /// <summary>
    /// Returns the attributes of a symbol. For a record's property, they include those of the parameter that declares it.
    /// </summary>
    static IEnumerable<AttributeData> AttributesOf(ISymbol symbol) => symbol is IPropertySymbol { ContainingType: { IsRecord: true } record }
        ? symbol.GetAttributes().Concat(record.InstanceConstructors
            .SelectMany(constructor => constructor.Parameters)
            .Where(parameter => parameter.Name == symbol.Name && SymbolEqualityComparer.Default.Equals(parameter.Type, ((IPropertySymbol)symbol).Type))
            .SelectMany(parameter => parameter.GetAttributes()))
        : symbol.GetAttributes();
}
