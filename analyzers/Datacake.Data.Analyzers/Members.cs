using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Datacake.Data.Analyzers;

/// <summary>The members of classes that can be stored, and their visibility in generated code.</summary>
static class Members
{
    /// <summary>
    /// Returns the readable properties of a class and its base classes, starting with the base classes, without those that are not stored.
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
            // An override, or a property that hides another one, replaces the other one.
            properties.RemoveAll(hidden => hidden.Name == property.Name);
            properties.Add(property);
        }
        return properties.Where(property => !IsIgnored(property)
            && (property.SetMethod is not null || IsAuto(property) || IsHidden(property) || FieldOf(property) is not null));
    }

    /// <summary>
    /// Returns the class between an owner and the class that declares a property, if one of its members hides the property; otherwise null.
    /// </summary>
    public static INamedTypeSymbol? HiderOf(IPropertySymbol property, INamedTypeSymbol owner) =>
        LineageOf(owner)
            .TakeWhile(type => !SymbolEqualityComparer.Default.Equals(type, property.ContainingType))
            .FirstOrDefault(type => type.GetMembers(property.Name).Any(member => member is not IPropertySymbol { IsOverride: true }));

    /// <summary>Returns a class and its base classes, starting with the class itself, without <see cref="object"/>.</summary>
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

    /// <summary>True if the use of a member, or of one of its accessors, is an error except in obsolete code.</summary>
    public static bool IsObsolete(ISymbol member) =>
        member.Find("System.ObsoleteAttribute")?.ConstructorArguments.ElementAtOrDefault(1).Value is true
        || (member is IPropertySymbol property && new[] { property.GetMethod, property.SetMethod }.OfType<IMethodSymbol>().Any(IsObsolete));

    /// <summary>True if a member comes from a compiled assembly, whose private members the compiler does not show.</summary>
    public static bool IsCompiled(ISymbol member) => member.Locations.All(location => location.IsInMetadata);

    /// <summary>
    /// True if it cannot be determined whether a property without a setter has a private one, stores a value, or computes it.
    /// </summary>
    public static bool IsHidden(IPropertySymbol property) =>
        property is { SetMethod: null, IsAbstract: false, RefKind: RefKind.None } && IsCompiled(property);

    public static SetterKind SetterOf(IPropertySymbol symbol) => symbol.SetMethod switch
    {
        null => IsAuto(symbol) || IsHidden(symbol) || FieldOf(symbol) is not null ? SetterKind.Field : SetterKind.None,
        { IsInitOnly: false, DeclaredAccessibility: Accessibility.Public } => SetterKind.Direct,
        _ => SetterKind.Accessor,
    };

    /// <summary>Returns the usual name of the field behind a property.</summary>
    public static string FieldNameOf(IPropertySymbol property) => "_" + char.ToLowerInvariant(property.Name[0]) + property.Name.Substring(1);

    /// <summary>
    /// Returns the field behind a property that has no setter; null if there is none. The field is the one that the property returns, such
    /// as <c>Name => _name</c>, or the list, set or dictionary that the property exposes through an interface, such as
    /// <c>IReadOnlyCollection&lt;Line> Lines => _lines.AsReadOnly()</c>. The latter is found by its name, as in Entity Framework: that of
    /// the property, with or without an underscore before it.
    /// </summary>
    public static IFieldSymbol? FieldOf(IPropertySymbol property)
    {
        if (property.SetMethod is not null || IsAuto(property))
            return null;
        string usual = FieldNameOf(property), name = usual.Substring(1);
        string[] names = [usual, name, "m_" + name, "_" + property.Name];
        string? returned = FieldReturnedBy(property);
        return property.ContainingType.GetMembers().OfType<IFieldSymbol>().FirstOrDefault(field => !field.IsStatic
            && (SymbolEqualityComparer.Default.Equals(field.Type, property.Type)
                ? field.Name == returned
                : (field.Name == returned || names.Contains(field.Name)) && IsShownBy(field.Type, property.Type)));
    }

    /// <summary>True if an interface exposes a type of collection that can be created again.</summary>
    static bool IsShownBy(ITypeSymbol type, ITypeSymbol shown) =>
        shown is INamedTypeSymbol { TypeKind: TypeKind.Interface, TypeArguments.Length: > 0 }
        && type is INamedTypeSymbol { Name: "List" or "HashSet" or "SortedSet" or "Dictionary", ContainingNamespace: { } space }
        && Names.FullName(space) == "System.Collections.Generic"
        && type.AllInterfaces.Contains(shown, SymbolEqualityComparer.Default);

    /// <summary>
    /// Returns the name of the field that a property's getter returns; null if the getter does anything else, except to create a missing
    /// value.
    /// </summary>
    static string? FieldReturnedBy(IPropertySymbol property)
    {
        if (property.DeclaringSyntaxReferences.FirstOrDefault()?.GetSyntax() is not PropertyDeclarationSyntax declaration)
            return null;
        var getter = declaration.AccessorList?.Accessors.FirstOrDefault(accessor => accessor.IsKind(SyntaxKind.GetAccessorDeclaration));
        var expression = declaration.ExpressionBody?.Expression
            ?? getter?.ExpressionBody?.Expression
            ?? (getter?.Body?.Statements is { Count: 1 } statements ? (statements[0] as ReturnStatementSyntax)?.Expression : null);
        return expression switch
        {
            // A field that is initialized on first use: _lines ??= [], or _lines ?? (_lines = []).
            AssignmentExpressionSyntax { RawKind: (int)SyntaxKind.CoalesceAssignmentExpression, Left: var left } => NameOf(left),
            BinaryExpressionSyntax { RawKind: (int)SyntaxKind.CoalesceExpression, Left: var left, Right: ParenthesizedExpressionSyntax { Expression: AssignmentExpressionSyntax { Left: var made } } }
                when NameOf(left) == NameOf(made) => NameOf(left),
            _ => NameOf(expression),
        };

        static string? NameOf(ExpressionSyntax? expression) => expression switch
        {
            IdentifierNameSyntax name => name.Identifier.ValueText,
            MemberAccessExpressionSyntax { Expression: ThisExpressionSyntax, Name: IdentifierNameSyntax name } => name.Identifier.ValueText,
            _ => null,
        };
    }

    /// <summary>
    /// Returns a field of a struct that would be lost, because none of the stored properties exposes it; null if there is none. The
    /// compiler shows all fields of a compiled struct.
    /// </summary>
    public static IFieldSymbol? LostField(INamedTypeSymbol type, IReadOnlyCollection<IPropertySymbol> stored) =>
        type.GetMembers().OfType<IFieldSymbol>().FirstOrDefault(field => !field.IsStatic && !type.GetMembers().OfType<IPropertySymbol>().Any(property =>
            (SymbolEqualityComparer.Default.Equals(field.AssociatedSymbol, property) || field.Name == $"<{property.Name}>k__BackingField"
                || SymbolEqualityComparer.Default.Equals(field, FieldOf(property)))
            && (stored.Contains(property, SymbolEqualityComparer.Default) || IsIgnored(property))));

    /// <summary>True if the class declares that a property is not stored.</summary>
    static bool IsIgnored(IPropertySymbol property) =>
        property.Find(Names.Data + "IgnoreAttribute") is not null || property.Find(Names.Annotations + "Schema.NotMappedAttribute") is not null;

    /// <summary>True if a property without a setter stores a value, rather than computing it.</summary>
    public static bool IsAuto(IPropertySymbol property) =>
        property.ContainingType.GetMembers().OfType<IFieldSymbol>().Any(
            field => SymbolEqualityComparer.Default.Equals(field.AssociatedSymbol, property));
}
