using Microsoft.CodeAnalysis;

namespace Datacake.Data.Analyzers;

/// <summary>The reader of the converters of properties.</summary>
/// <param name="contextType">The context in source code, which holds the converters that are given as lambdas.</param>
/// <param name="conventions">The conventions for all properties of a type.</param>
/// <param name="diagnostics">Receives the errors.</param>
sealed class ConverterReader(string contextType, IReadOnlyList<ConventionConfiguration> conventions, DiagnosticBag diagnostics)
{
    /// <summary>
    /// Returns the converter of a property, if it has one, and the type that is stored. Without a converter, this is the property's own
    /// type; it is null if the converter cannot be used.
    /// </summary>
    public (ConverterSpec? Converter, ITypeSymbol? StoredType) Find(IPropertySymbol symbol, PropertyConfiguration? configured)
    {
        var propertyType = TypeMapping.NullableOf(symbol.Type) ?? symbol.Type;
        if (configured?.ConverterField is var (field, fieldPropertyType, fieldStoredType))
            return Checked(symbol, $"{contextType}.{field}", fieldPropertyType, fieldStoredType);
        var type = configured?.ConverterType
            ?? symbol.Find(Names.Data + "ConverterAttribute")?.AttributeClass!.TypeArguments.FirstOrDefault()
            ?? conventions.LastOrDefault(convention => convention.ConverterType is not null && convention.Covers(symbol.Type))?.ConverterType;
        switch (type)
        {
            case null:
                return (null, propertyType);
            case { SpecialType: SpecialType.System_String } when propertyType.TypeKind == TypeKind.Enum:
                string names = $"new {Names.Api}EnumToStringConverter<{TypeMapping.Bare(propertyType)}>()";
                return Checked(symbol, names, propertyType, type);
            case INamedTypeSymbol { TypeKind: TypeKind.Class, IsAbstract: false } converter when ConverterBase(converter) is { } known:
                if (!Members.IsAccessible(converter))
                    return Refused(symbol, $"'{converter.Name}' is private or protected, so generated code cannot use it. Make it internal or public.");
                if (!converter.InstanceConstructors.Any(constructor => constructor.Parameters.Length == 0
                    && constructor.DeclaredAccessibility is Accessibility.Public or Accessibility.Internal))
                    return Refused(symbol, $"'{converter.Name}' has no public or internal constructor without parameters. Add one.");
                return Checked(symbol, $"new {TypeMapping.Bare(converter)}()", known.TypeArguments[0], known.TypeArguments[1]);
            default:
                return Refused(
                    symbol,
                    $"'{type.ToDisplayString()}' is not a class derived from ValueConverter<TProperty, TStored>. Write such a class, or pass two "
                        + "functions: HasConversion(value => ..., stored => ...).");
        }
    }

    (ConverterSpec?, ITypeSymbol?) Checked(IPropertySymbol symbol, string expression, ITypeSymbol converted, ITypeSymbol stored)
    {
        var propertyType = TypeMapping.NullableOf(symbol.Type) ?? symbol.Type;
        if (!SymbolEqualityComparer.Default.Equals(propertyType, converted))
            return Refused(
                symbol, $"It is for the type '{converted.ToDisplayString()}', but the property is of type '{symbol.Type.ToDisplayString()}'.");
        return TypeMapping.Scalar(stored) is { } codec
            ? (new ConverterSpec(expression, TypeMapping.Bare(propertyType), TypeMapping.Bare(stored), codec.Expression), stored)
            : Refused(symbol, $"It stores values of type '{stored.ToDisplayString()}', which is not a single value, such as a string, a number or a date.");
    }

    (ConverterSpec?, ITypeSymbol?) Refused(IPropertySymbol symbol, string reason)
    {
        diagnostics.Report(Diagnostics.Converter, symbol, symbol.ContainingType.Name, symbol.Name, reason);
        return (null, null);
    }

    static INamedTypeSymbol? ConverterBase(INamedTypeSymbol type)
    {
        for (var candidate = type; candidate is not null; candidate = candidate.BaseType)
        {
            if (candidate.Arity == 2 && Names.FullName(candidate) == Names.Data + "ValueConverter")
                return candidate;
        }
        return null;
    }
}
