using Microsoft.CodeAnalysis;

namespace Datacake.Data.Analyzers;

/// <summary>The reader of the navigation properties of an entity class.</summary>
static class NavigationReader
{
    const string Collections = "System.Collections.Generic.";

    public static IEnumerable<Navigation> Read(INamedTypeSymbol entity, IReadOnlyList<ITypeSymbol> entityTypes, EntityConfiguration configuration)
    {
        foreach (var symbol in PropertiesOf(entity, configuration))
        {
            if (Members.SetterOf(symbol) == SetterKind.None && FieldOf(symbol) is null)
                continue;
            if (TargetIn(symbol.Type) is { } target)
                yield return new Navigation(symbol, entity, target, null);
            else if (ElementOf(symbol.Type) is { } element && TargetIn(element) is { } several && NewCollection(symbol.Type, element, FieldOf(symbol)?.Type) is { } created)
                yield return new Navigation(symbol, entity, several, created);
        }

        INamedTypeSymbol? TargetIn(ITypeSymbol type) => entityTypes.FirstOrDefault(known => SymbolEqualityComparer.Default.Equals(known, type)) as INamedTypeSymbol;
    }

    /// <summary>
    /// Returns the public properties of an entity class and its derived classes, stored or not, without those that are ignored.
    /// </summary>
    public static IReadOnlyList<IPropertySymbol> PropertiesOf(INamedTypeSymbol entity, EntityConfiguration configuration)
    {
        var derived = configuration.Derived.Count > 0
            ? configuration.Derived.Select(known => known.Type)
            : entity.FindAll(Names.Data + "DerivedAttribute").Select(attribute => attribute.ConstructorArguments.FirstOrDefault().Value).OfType<INamedTypeSymbol>();
        var properties = new List<IPropertySymbol>();
        foreach (var type in new[] { entity }.Concat(derived))
        {
            foreach (var property in Members.LineageOf(type).Reverse().SelectMany(ancestor => ancestor.GetMembers().OfType<IPropertySymbol>()))
            {
                if (property is not { IsStatic: false, IsIndexer: false, DeclaredAccessibility: Accessibility.Public, GetMethod.DeclaredAccessibility: Accessibility.Public }
                    || properties.Contains(property, SymbolEqualityComparer.Default) || Members.HiderOf(property, type) is not null
                    || property.Find(Names.Data + "IgnoreAttribute") is not null || property.Find(Names.Annotations + "Schema.NotMappedAttribute") is not null
                    || (configuration.Properties.TryGetValue(property.Name, out var configured) && configured.IsIgnored)
                    || configuration.Conventions.Any(convention => convention.IsIgnored && convention.Covers(property.Type)))
                    continue;
                properties.RemoveAll(hidden => hidden.Name == property.Name);
                properties.Add(property);
            }
        }
        return properties;
    }

    public static IPropertySymbol? FindProperty(INamedTypeSymbol entity, string name, EntityConfiguration configuration) =>
        PropertiesOf(entity, configuration).FirstOrDefault(property => property.Name == name);

    /// <summary>
    /// Returns the field behind a property; null if there is none. The field is the one that the property returns, or the collection that
    /// it exposes, found by its name.
    /// </summary>
    public static IFieldSymbol? FieldOf(IPropertySymbol property)
    {
        if (property.SetMethod is not null || Members.IsAuto(property))
            return null;
        if (ElementOf(property.Type) is not { } element)
            return Members.FieldOf(property);
        string usual = Members.FieldNameOf(property), name = usual.Substring(1);
        string[] names = [usual, name, "m_" + name, "_" + property.Name];
        return property.ContainingType.GetMembers().OfType<IFieldSymbol>().FirstOrDefault(field =>
            names.Contains(field.Name) && !field.IsStatic && field.AssociatedSymbol is null && IsMutable(field.Type)
                && SymbolEqualityComparer.Default.Equals(ElementOf(field.Type), element))
            ?? Members.FieldOf(property);
    }

    /// <summary>True if entities can be added to a collection of the type.</summary>
    public static bool IsMutable(ITypeSymbol type) => new[] { type }.Concat(type.AllInterfaces).Any(known => Names.FullName(known) == Collections + "ICollection")
        && Names.FullName(type) != "System.Collections.ObjectModel.ReadOnlyCollection";

    /// <summary>Returns the type of the items of a collection; null if the type is not a collection.</summary>
    public static ITypeSymbol? ElementOf(ITypeSymbol type)
    {
        if (type is not INamedTypeSymbol)
            return null;
        var enumerable = new[] { type }.Concat(type.AllInterfaces).OfType<INamedTypeSymbol>().FirstOrDefault(
            known => known.OriginalDefinition.SpecialType == SpecialType.System_Collections_Generic_IEnumerable_T);
        return enumerable?.TypeArguments[0];
    }

    /// <summary>Returns the expression that creates an empty collection of the type; null if such a collection cannot be filled.</summary>
    static string? NewCollection(ITypeSymbol type, ITypeSymbol element, ITypeSymbol? field)
    {
        var made = field ?? type;
        string item = TypeMapping.Bare(element);
        if (made.TypeKind == TypeKind.Interface)
        {
            return Names.FullName(made) switch
            {
                Collections + "ISet" or Collections + "IReadOnlySet" => $"new global::{Collections}HashSet<{item}>()",
                Collections + "IList" or Collections + "ICollection" or Collections + "IEnumerable" or Collections + "IReadOnlyList" or Collections + "IReadOnlyCollection" =>
                    $"new global::{Collections}List<{item}>()",
                _ => null,
            };
        }
        bool canBeMade = made is INamedTypeSymbol { TypeKind: TypeKind.Class, IsAbstract: false } named && IsMutable(made)
            && IsAccessible(named) && !Constructors.HasRequiredMembers(named) && named.InstanceConstructors.Any(constructor => constructor.Parameters.Length == 0 && constructor.DeclaredAccessibility == Accessibility.Public);
        return canBeMade ? $"new {TypeMapping.Bare(made)}()" : null;
    }

    static bool IsAccessible(INamedTypeSymbol type) => Members.IsAccessible(type) && type.TypeArguments.OfType<INamedTypeSymbol>().All(IsAccessible);
}
