using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Datacake.Data.Analyzers;

/// <summary>The constructors that create objects of a class.</summary>
static class Constructors
{
    const string SetsRequiredMembers = "System.Diagnostics.CodeAnalysis.SetsRequiredMembersAttribute";

    /// <summary>
    /// Returns the constructor without parameters, or else the longest one whose parameters all match properties by name and type; null if
    /// there is none.
    /// </summary>
    public static ConstructorSpec? Find(INamedTypeSymbol owner, IReadOnlyList<PropertySpec> properties)
    {
        // Every struct has a constructor without parameters, so it is only used if no other one matches.
        foreach (var constructor in owner.InstanceConstructors.OrderBy(candidate =>
            candidate.Parameters.Length == 0 ? (candidate.IsImplicitlyDeclared && owner.IsValueType ? int.MaxValue : int.MinValue) : -candidate.Parameters.Length))
        {
            var arguments = constructor.Parameters.Select(parameter => Argument(parameter, properties)).ToList();
            if (arguments.Contains(null))
                continue;
            bool isVisible = constructor.DeclaredAccessibility == Accessibility.Public
                || (constructor.DeclaredAccessibility is Accessibility.Internal or Accessibility.ProtectedOrInternal && !Members.IsCompiled(owner));
            bool isDirect = isVisible && (!HasRequiredMembers(owner) || constructor.Find(SetsRequiredMembers) is not null);
            return new ConstructorSpec(
                TypeMapping.Bare(owner), isDirect, new(arguments.OfType<ArgumentSpec>()),
                AccessSpec.Of(owner, constructor.OriginalDefinition.Parameters.Select(parameter => parameter.Type)))
            {
                IsObsolete = Members.IsObsolete(constructor),
            };
        }
        // The private constructors of a compiled class cannot be seen, so one is assumed to exist.
        return Members.IsCompiled(owner)
            ? new ConstructorSpec(TypeMapping.Bare(owner), IsDirect: false, new([]), AccessSpec.Of(owner, []) with { IsAssumed = true })
            : null;
    }

    static ArgumentSpec? Argument(IParameterSymbol parameter, IReadOnlyList<PropertySpec> properties)
    {
        string bare = TypeMapping.Bare(parameter.Type);
        var property = properties.FirstOrDefault(
            candidate => string.Equals(candidate.Name, parameter.Name, StringComparison.OrdinalIgnoreCase) && candidate.BareType == bare);
        if (property is null || parameter.RefKind != RefKind.None)
            return null;
        string missing = parameter is { HasExplicitDefaultValue: true, ExplicitDefaultValue: { } value }
            ? $"({bare})({Literal(value)})"
            : $"default({bare})!";
        bool isRead = property.Kind is MappingKind.Value or MappingKind.Key;
        return isRead || property.Setter != SetterKind.None
            ? new ArgumentSpec(property.Type, isRead ? property.Path : null, missing)
            : null;
    }

    static string Literal(object value) => value switch
    {
        double number when double.IsNaN(number) => "double.NaN",
        double number when double.IsInfinity(number) => number > 0 ? "double.PositiveInfinity" : "double.NegativeInfinity",
        float number when float.IsNaN(number) => "float.NaN",
        float number when float.IsInfinity(number) => number > 0 ? "float.PositiveInfinity" : "float.NegativeInfinity",
        _ => SymbolDisplay.FormatPrimitive(value, quoteStrings: true, useHexadecimalNumbers: false) + NumberSuffix(value),
    };

    static string NumberSuffix(object value) => value switch
    {
        decimal => "m",
        double => "d",
        float => "f",
        ulong => "ul",
        long => "l",
        _ => "",
    };

    public static bool HasRequiredMembers(INamedTypeSymbol type)
    {
        for (var ancestor = type; ancestor is not null; ancestor = ancestor.BaseType)
        {
            if (ancestor.GetMembers().Any(member => member is IPropertySymbol { IsRequired: true } or IFieldSymbol { IsRequired: true }))
                return true;
        }
        return false;
    }
}
