using Microsoft.CodeAnalysis;

namespace Datacake.Data.Analyzers;

/// <summary>Which members of classes can be stored, and what can be seen from generated code.</summary>
static class Members
{
    /// <summary>
    /// The readable properties of a class and of those that it derives from, theirs first, without those that are not stored.
    /// </summary>
    public static IEnumerable<IPropertySymbol> PropertiesOf(INamedTypeSymbol type)
    {
        var properties = new List<IPropertySymbol>();
        foreach (var property in LineageOf(type).Reverse().SelectMany(ancestor => ancestor.GetMembers().OfType<IPropertySymbol>()))
        {
            if (property is not { IsStatic: false, IsIndexer: false, PartialDefinitionPart: null }
                || property.DeclaredAccessibility != Accessibility.Public
                || property.GetMethod?.DeclaredAccessibility != Accessibility.Public)
                continue;
            // An override, or a property that hides one, takes its place.
            properties.RemoveAll(hidden => hidden.Name == property.Name);
            properties.Add(property);
        }
        return properties.Where(property =>
            property.Find(Names.Data + "IgnoreAttribute") is null
            && property.Find(Names.Annotations + "Schema.NotMappedAttribute") is null
            && (property.SetMethod is not null || IsAuto(property)));
    }

    /// <summary>A class and those that it derives from, itself first, without <see cref="object"/>.</summary>
    public static IEnumerable<INamedTypeSymbol> LineageOf(INamedTypeSymbol type)
    {
        for (var ancestor = type; ancestor is not null && ancestor.SpecialType != SpecialType.System_Object; ancestor = ancestor.BaseType)
            yield return ancestor;
    }

    public static bool IsAccessible(INamedTypeSymbol type)
    {
        for (var part = type; part is not null; part = part.ContainingType)
        {
            if (part.IsFileLocal
                || part.DeclaredAccessibility is Accessibility.Private or Accessibility.Protected or Accessibility.ProtectedAndInternal)
                return false;
        }
        return true;
    }

    public static SetterKind SetterOf(IPropertySymbol symbol) => symbol.SetMethod switch
    {
        null => SetterKind.None,
        { IsInitOnly: false, DeclaredAccessibility: Accessibility.Public } => SetterKind.Direct,
        _ => SetterKind.Accessor,
    };

    /// <summary>Whether a property without a setter stores something, rather than computes it.</summary>
    static bool IsAuto(IPropertySymbol property) =>
        property.ContainingType.GetMembers().OfType<IFieldSymbol>().Any(
            field => SymbolEqualityComparer.Default.Equals(field.AssociatedSymbol, property));
}
