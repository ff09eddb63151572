using Microsoft.CodeAnalysis;

namespace Datacake.Data.Analyzers;

/// <summary>Which codec the values of a type have. Codecs are expressions in the generated code.</summary>
static class TypeMapping
{
    const string Codecs = "global::Datacake.Data.Metadata.ValueCodecs.";

    /// <summary>The codec of a single value, or null if the type is none.</summary>
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

    /// <summary>The codec of whatever is stored as one value: a scalar, a nullable one, or a list or array of values.</summary>
    /// <param name="type">The type.</param>
    /// <param name="objects">What gives the codec of a class, or null, for lists of objects.</param>
    public static CodecSpec? Value(ITypeSymbol type, Func<ITypeSymbol, CodecSpec?> objects)
    {
        if (Scalar(type) is { } scalar)
            return scalar;
        if (NullableOf(type) is { } underlying)
            return Scalar(underlying) is { } inner ? Composed(type, $"Nullable({inner.Expression})") : null;
        if (type is IArrayTypeSymbol { Rank: 1 } array)
            return Item(array.ElementType, objects) is { } item ? Composed(type, $"Array({item.Expression})") : null;
        if (type is not INamedTypeSymbol { Arity: 1 } named || Collection(named) is not { } collection)
            return null;
        return Item(named.TypeArguments[0], objects) is { } element ? Composed(type, $"{collection}({element.Expression})") : null;
    }

    /// <summary>The codec of an item of a list or a value of a dictionary: a value, or an object as one.</summary>
    public static CodecSpec? Item(ITypeSymbol type, Func<ITypeSymbol, CodecSpec?> objects) => Value(type, objects) ?? objects(type);

    static string? Collection(INamedTypeSymbol type) => Definition(type) switch
    {
        "System.Collections.Generic.List" => "List",
        "System.Collections.Generic.IList" or "System.Collections.Generic.ICollection" or "System.Collections.Generic.IEnumerable"
            or "System.Collections.Generic.IReadOnlyList" or "System.Collections.Generic.IReadOnlyCollection" =>
            $"Collection<{Bare(type)}, {Bare(type.TypeArguments[0])}>",
        _ => null,
    };

    /// <summary>The codec of values that a converter turns into single ones.</summary>
    public static CodecSpec Converted(ConverterSpec converter) => new(
        $"{Codecs}Converted<{converter.PropertyType}, {converter.StoredType}>({converter.StoredCodec}, {converter.Expression})",
        converter.PropertyType,
        IsScalar: true);

    /// <summary>The codec of a type that a codec is of, and its nullable.</summary>
    public static CodecSpec Nullable(ITypeSymbol type, CodecSpec inner) => Composed(type, $"Nullable({inner.Expression})");

    static CodecSpec Composed(ITypeSymbol type, string expression) => new(Codecs + expression, Bare(type), IsScalar: false);

    /// <summary>What creates an empty set for a property of this type, or null if it is no set.</summary>
    public static string? NewSet(ITypeSymbol type) => type is not INamedTypeSymbol { Arity: 1 } named ? null : Definition(named) switch
    {
        "System.Collections.Generic.HashSet" or "System.Collections.Generic.ISet" =>
            $"new global::System.Collections.Generic.HashSet<{Bare(named.TypeArguments[0])}>()",
        "System.Collections.Generic.SortedSet" => $"new global::System.Collections.Generic.SortedSet<{Bare(named.TypeArguments[0])}>()",
        _ => null,
    };

    /// <summary>What creates an empty dictionary for a property of this type, or null if it is no dictionary.</summary>
    public static string? NewDictionary(ITypeSymbol type)
    {
        if (type is not INamedTypeSymbol { Arity: 2 } named)
            return null;
        string arguments = $"<{Bare(named.TypeArguments[0])}, {Bare(named.TypeArguments[1])}>()";
        return Definition(named) switch
        {
            "System.Collections.Generic.Dictionary" or "System.Collections.Generic.IDictionary" =>
                "new global::System.Collections.Generic.Dictionary" + arguments,
            "System.Collections.Generic.SortedDictionary" => "new global::System.Collections.Generic.SortedDictionary" + arguments,
            _ => null,
        };
    }

    /// <summary>Whether a key can be of the type: those that can be read back from a key.</summary>
    public static bool IsKey(ITypeSymbol type) => type.TypeKind == TypeKind.Enum || type.SpecialType
        is SpecialType.System_Byte or SpecialType.System_SByte or SpecialType.System_Int16 or SpecialType.System_UInt16
        or SpecialType.System_Int32 or SpecialType.System_UInt32 or SpecialType.System_Int64 or SpecialType.System_UInt64
        or SpecialType.System_Char or SpecialType.System_String
        || Scalar(type)?.Expression is Codecs + "Guid" or Codecs + "DateOnly";

    public static ITypeSymbol? NullableOf(ITypeSymbol type) =>
        type is INamedTypeSymbol { OriginalDefinition.SpecialType: SpecialType.System_Nullable_T } nullable
            ? nullable.TypeArguments[0]
            : null;

    /// <summary>The type in source, with the annotations of its arguments and without its own.</summary>
    public static string Bare(ITypeSymbol type) =>
        type.WithNullableAnnotation(NullableAnnotation.NotAnnotated).ToDisplayString(Names.WithNullability);

    static string Definition(INamedTypeSymbol type) => Names.FullName(type);
}
