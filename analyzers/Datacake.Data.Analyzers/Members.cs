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
            && (property.SetMethod is not null || IsAuto(property) || IsHidden(property) || FieldOf(property) is not null));
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

    /// <summary>True if a member comes from a compiled assembly, of which the compiler shows no private ones.</summary>
    public static bool IsCompiled(ISymbol member) => member.Locations.All(location => location.IsInMetadata);

    /// <summary>True if it cannot be seen whether a property without a setter has a private one, stores something, or computes it.</summary>
    public static bool IsHidden(IPropertySymbol property) => property.SetMethod is null && IsCompiled(property) && !property.IsAbstract;

    public static SetterKind SetterOf(IPropertySymbol symbol) => symbol.SetMethod switch
    {
        null => IsAuto(symbol) || IsHidden(symbol) || FieldOf(symbol) is not null ? SetterKind.Field : SetterKind.None,
        { IsInitOnly: false, DeclaredAccessibility: Accessibility.Public } => SetterKind.Direct,
        _ => SetterKind.Accessor,
    };

    /// <summary>Returns the usual name of the field behind a property.</summary>
    public static string FieldNameOf(IPropertySymbol property) => "_" + char.ToLowerInvariant(property.Name[0]) + property.Name.Substring(1);

    /// <summary>
    /// Returns the list behind a property that shows it by an interface, such as <c>IReadOnlyCollection&lt;Line> Lines => _lines</c>; null if there is none. It is
    /// found by its name, as by others: the property's, with or without an underscore before it.
    /// </summary>
    public static IFieldSymbol? FieldOf(IPropertySymbol property)
    {
        if (property.SetMethod is not null || IsAuto(property)
            || property.Type is not INamedTypeSymbol { TypeKind: TypeKind.Interface, TypeArguments.Length: 1 } shown)
            return null;
        string usual = FieldNameOf(property), name = usual.Substring(1);
        string[] names = [usual, name, "m_" + name, "_" + property.Name];
        return property.ContainingType.GetMembers().OfType<IFieldSymbol>().FirstOrDefault(field =>
            names.Contains(field.Name) && !field.IsStatic
            && field.Type is INamedTypeSymbol { Name: "List", TypeArguments.Length: 1, ContainingNamespace: { } space }
            && Names.FullName(space) == "System.Collections.Generic"
            && SymbolEqualityComparer.Default.Equals(((INamedTypeSymbol)field.Type).TypeArguments[0], shown.TypeArguments[0])
            && field.Type.AllInterfaces.Contains(shown, SymbolEqualityComparer.Default));
    }

    /// <summary>Whether a property without a setter stores something, rather than computes it.</summary>
    static bool IsAuto(IPropertySymbol property) =>
        property.ContainingType.GetMembers().OfType<IFieldSymbol>().Any(
            field => SymbolEqualityComparer.Default.Equals(field.AssociatedSymbol, property));
}
