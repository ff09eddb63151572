using Microsoft.CodeAnalysis;

namespace Datacake.Data.Analyzers;

/// <summary>The mapping of types to the codecs of their values. A codec is an expression in the generated code.</summary>
static class TypeMapping
{
    const string Codecs = $"{Names.Support}ValueCodecs.";

    /// <summary>Returns the codec of a single value; null if the type is not one.</summary>
    public static CodecSpec? Scalar(ITypeSymbol type)
    {
        if (type.TypeKind == TypeKind.Enum)
        {
            var underlying = ((INamedTypeSymbol)type).EnumUnderlyingType!;
            return new($"{Codecs}Enum<{Bare(type)}, {underlying}>({Scalar(underlying)!.Expression})", Bare(type), IsScalar: true);
        }
        if (type is IArrayTypeSymbol { Rank: 1, ElementType.SpecialType: SpecialType.System_Byte })
            return new(Codecs + "Bytes", Bare(type), IsScalar: true);
        string? name = type.SpecialType switch
        {
            SpecialType.System_Boolean => "Boolean",
            SpecialType.System_Byte => "Byte",
            SpecialType.System_SByte => "SByte",
            SpecialType.System_Int16 => "Int16",
            SpecialType.System_UInt16 => "UInt16",
            SpecialType.System_Int32 => "Int32",
            SpecialType.System_UInt32 => "UInt32",
            SpecialType.System_Int64 => "Int64",
            SpecialType.System_UInt64 => "UInt64",
            SpecialType.System_Char => "Char",
            SpecialType.System_Single => "Single",
            SpecialType.System_Double => "Double",
            SpecialType.System_Decimal => "Decimal",
            SpecialType.System_String => "String",
            SpecialType.System_DateTime => "DateTime",
            _ => null,
        };
        if (name is null && type.ContainingNamespace is { Name: "System", ContainingNamespace.IsGlobalNamespace: true }
            && type.Name is "Guid" or "DateTimeOffset" or "DateOnly" or "TimeOnly" or "TimeSpan")
            name = type.Name;
        return name is null ? null : new(Codecs + name, Bare(type), IsScalar: true);
    }

    /// <summary>
    /// Returns the codec of a type that is stored as one value: a single value, a nullable, a list or array of values, or a struct.
    /// </summary>
    /// <param name="type">The type.</param>
    /// <param name="objects">Returns the codec of a class or struct; null if it has none.</param>
    public static CodecSpec? Value(ITypeSymbol type, Func<ITypeSymbol, CodecSpec?> objects)
    {
        if (Scalar(type) is { } scalar)
            return scalar;
        if (NullableOf(type) is { } underlying)
            return (Scalar(underlying) ?? Value(underlying, objects)) is { } inner ? Nullable(type, inner) : null;
        if (type is IArrayTypeSymbol { Rank: 1 } array)
            return Sequence(type, array.ElementType, "Array", "", objects);
        if (type is INamedTypeSymbol named && Collections.List(named) is var (function, create))
            return Sequence(type, named.TypeArguments[0], function, create, objects);
        return type.TypeKind == TypeKind.Struct ? objects(type) : null;
    }

    /// <summary>
    /// Returns the codec of an item of a list or a value of a dictionary, which may also be an object that is stored as one value.
    /// </summary>
    public static CodecSpec? Item(ITypeSymbol type, Func<ITypeSymbol, CodecSpec?> objects) => Value(type, objects) ?? (type.IsReferenceType ? objects(type) : null);

    /// <summary>True if null is rejected as an item of a list or a value of a dictionary.</summary>
    public static bool IsRequired(ITypeSymbol item) => item is { IsReferenceType: true, NullableAnnotation: NullableAnnotation.NotAnnotated };

    static CodecSpec? Sequence(ITypeSymbol type, ITypeSymbol itemType, string function, string create, Func<ITypeSymbol, CodecSpec?> objects)
    {
        if (Item(itemType, objects) is not { } item)
            return null;
        bool isRequired = IsRequired(itemType);
        string required = isRequired ? ", areItemsRequired: true" : create.Length > 0 ? ", areItemsRequired: false" : "";
        return Composed(type, $"{function}({item.Expression}{required}{create})") with { HasRules = isRequired || item.HasRules };
    }

    /// <summary>Returns the codec of values that a converter converts to single values.</summary>
    public static CodecSpec Converted(ConverterSpec converter) => new(
        $"{Codecs}Converted<{converter.PropertyType}, {converter.StoredType}>({converter.StoredCodec}, {converter.Expression})",
        converter.PropertyType,
        IsScalar: true);

    /// <summary>Returns the codec of a nullable type, given that of its values.</summary>
    public static CodecSpec Nullable(ITypeSymbol type, CodecSpec inner) => Composed(type, $"Nullable({inner.Expression})") with { HasRules = inner.HasRules };

    static CodecSpec Composed(ITypeSymbol type, string expression) => new(Codecs + expression, Bare(type), IsScalar: false);

    /// <summary>True if a key can be of the type, which must be a single, exact value.</summary>
    public static bool IsKey(ITypeSymbol type) =>
        Scalar(type) is not null && type.SpecialType is not (SpecialType.System_Single or SpecialType.System_Double);

    public static ITypeSymbol? NullableOf(ITypeSymbol type) =>
        type is INamedTypeSymbol { OriginalDefinition.SpecialType: SpecialType.System_Nullable_T } nullable
            ? nullable.TypeArguments[0]
            : null;

    /// <summary>Returns a type as in source code, with the annotations of its arguments but without its own.</summary>
    public static string Bare(ITypeSymbol type) =>
        Names.KeywordOf(type.SpecialType) ?? type.WithNullableAnnotation(NullableAnnotation.NotAnnotated).ToDisplayString(Names.WithNullability);
}
