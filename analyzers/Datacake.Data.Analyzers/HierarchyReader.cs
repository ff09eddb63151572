using Microsoft.CodeAnalysis;

namespace Datacake.Data.Analyzers;

/// <summary>Reads which classes the entities of a keyspace can be of.</summary>
/// <param name="type">The entity class.</param>
/// <param name="entityTypes">The classes that have keyspaces of their own.</param>
/// <param name="configuration">What <c>OnModelCreating</c> says of the class.</param>
/// <param name="diagnostics">Takes what is wrong.</param>
sealed class HierarchyReader(
    ITypeSymbol type, IReadOnlyList<ITypeSymbol> entityTypes, EntityConfiguration configuration, DiagnosticBag diagnostics)
{
    readonly List<DerivedConfiguration> _derived = [];

    public bool HasDiscriminator => _derived.Count > 0;

    /// <summary>The classes that entities can be of beside the entity class, and those between these and that.</summary>
    public IReadOnlyList<INamedTypeSymbol> DerivedTypes => [.. _derived
        .SelectMany(derived => Members.LineageOf(derived.Type).TakeWhile(ancestor => !IsSame(ancestor, type)))
        .Distinct<INamedTypeSymbol>(SymbolEqualityComparer.Default)];

    /// <summary>The entity class, unless it is abstract, and the ones derived from it; null if none can be.</summary>
    public IReadOnlyList<DerivedConfiguration>? Read()
    {
        if (WhyNoEntity(type) is { } reason)
        {
            diagnostics.Report(Diagnostics.EntityClass, type, type.Name, reason);
            return null;
        }
        var entity = (INamedTypeSymbol)type;
        var named = configuration.Derived.Count > 0 ? configuration.Derived : Attributes(entity).ToList();
        string own = named.Find(derived => IsSame(derived.Type, entity))?.Discriminator ?? entity.Name;
        _derived.AddRange(named.Where(derived => !IsSame(derived.Type, entity)));
        foreach (var derived in _derived)
        {
            if (WhyNotDerived(entity, derived) is { } problem)
                diagnostics.Report(Diagnostics.DerivedClass, derived.Location, derived.Type.Name, entity.Name, problem);
        }
        if (entity.IsAbstract && _derived.Count == 0)
        {
            diagnostics.Report(
                Diagnostics.EntityClass,
                type,
                type.Name,
                "it is abstract, and no derived class is named with [Derived] or HasDiscriminator().HasValue");
        }
        IReadOnlyList<DerivedConfiguration> classes = entity.IsAbstract ? _derived : [new(null, entity, own), .. _derived];
        foreach (var group in classes.GroupBy(known => known.Discriminator).Where(group => group.Count() > 1))
        {
            var same = group.Last();
            string problem = $"another class is stored as '{same.Discriminator}' already";
            diagnostics.Report(Diagnostics.DerivedClass, same.Location, same.Type.Name, entity.Name, problem);
        }
        return diagnostics.IsEmpty ? classes : null;
    }

    /// <summary>What the derived classes have beside the properties of the entity class.</summary>
    public IReadOnlyList<IPropertySymbol> DerivedProperties(IReadOnlyList<IPropertySymbol> ofEntity, PropertyMapper mapper)
    {
        var properties = new List<IPropertySymbol>();
        foreach (var symbol in _derived.SelectMany(derived => mapper.PropertiesOf(derived.Type)))
        {
            if (properties.Contains(symbol, SymbolEqualityComparer.Default)
                || ofEntity.Any(known => known.Name == symbol.Name && (symbol.IsOverride || IsSame(known, symbol))))
                continue;
            if (ofEntity.Any(known => known.Name == symbol.Name))
            {
                diagnostics.Report(
                    Diagnostics.DerivedClass,
                    symbol,
                    symbol.ContainingType.Name,
                    type.Name,
                    $"its property '{symbol.Name}' hides that of '{type.Name}'; rename it, or override the other");
                continue;
            }
            if (properties.Find(other => other.Name == symbol.Name) is { } other)
            {
                diagnostics.Report(
                    Diagnostics.DerivedClass,
                    symbol,
                    symbol.ContainingType.Name,
                    type.Name,
                    $"'{other.ContainingType.Name}' has a property '{symbol.Name}' too; rename one, or move it to '{type.Name}'");
                continue;
            }
            properties.Add(symbol);
        }
        return properties;
    }

    static IEnumerable<DerivedConfiguration> Attributes(INamedTypeSymbol entity)
    {
        foreach (var attribute in entity.FindAll(Names.Data + "DerivedAttribute"))
        {
            if (attribute.ConstructorArguments.FirstOrDefault().Value is INamedTypeSymbol derived)
            {
                yield return new DerivedConfiguration(
                    attribute.ApplicationSyntaxReference is { } syntax ? Location.Create(syntax.SyntaxTree, syntax.Span) : null,
                    derived,
                    attribute.ConstructorArguments.ElementAtOrDefault(1).Value as string ?? derived.Name);
            }
        }
    }

    string? WhyNotDerived(INamedTypeSymbol entity, DerivedConfiguration derived)
    {
        if (entityTypes.Contains(derived.Type, SymbolEqualityComparer.Default))
            return "it has a keyspace of its own";
        if (!Members.LineageOf(derived.Type).Skip(1).Contains(entity, SymbolEqualityComparer.Default))
            return "it does not derive from that";
        if (derived.Type.IsAbstract)
            return "it is abstract";
        return derived.Discriminator.Length == 0 ? "its discriminator is empty" : WhyNoEntity(derived.Type);
    }

    static string? WhyNoEntity(ITypeSymbol type)
    {
        if (type is not INamedTypeSymbol { TypeKind: TypeKind.Class } entity)
            return "it is no class";
        if (entity.IsGenericType)
            return "it is generic";
        return Members.IsAccessible(entity)
            ? null
            : "it is private or protected, and the generated code cannot see it; make it internal or public";
    }

    static bool IsSame(ISymbol? left, ISymbol right) => SymbolEqualityComparer.Default.Equals(left, right);
}
