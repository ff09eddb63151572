using Microsoft.CodeAnalysis;

namespace Datacake.Data.Analyzers;

/// <summary>The reader of the classes that the entities of a keyspace can be of.</summary>
/// <param name="type">The entity class.</param>
/// <param name="entityTypes">The classes that have keyspaces of their own.</param>
/// <param name="configuration">The configuration of the class in <c>OnModelCreating</c>.</param>
/// <param name="diagnostics">Receives the errors.</param>
sealed class HierarchyReader(
    ITypeSymbol type, IReadOnlyList<ITypeSymbol> entityTypes, EntityConfiguration configuration, DiagnosticBag diagnostics)
{
    readonly List<DerivedConfiguration> _derived = [];

    public bool HasDiscriminator => _derived.Count > 0;

    /// <summary>Gets the derived classes that entities can be of, and the classes between these and the entity class.</summary>
    public IReadOnlyList<INamedTypeSymbol> DerivedTypes => [.. _derived
        .SelectMany(derived => Members.LineageOf(derived.Type).TakeWhile(ancestor => !IsSame(ancestor, type)))
        .Distinct<INamedTypeSymbol>(SymbolEqualityComparer.Default)];

    /// <summary>Returns the entity class, unless it is abstract, and the derived classes; null if an error was reported.</summary>
    public IReadOnlyList<DerivedConfiguration>? Read()
    {
        if (EntityProblem(type) is { } reason)
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
            if (DerivedProblem(entity, derived) is { } problem)
                diagnostics.Report(Diagnostics.DerivedClass, derived.Location, derived.Type.Name, entity.Name, problem);
        }
        if (entity.IsAbstract && _derived.Count == 0)
        {
            diagnostics.Report(
                Diagnostics.EntityClass,
                type,
                type.Name,
                "It is abstract, and no derived class is declared with [Derived] or HasDiscriminator().HasValue.");
        }
        IReadOnlyList<DerivedConfiguration> classes = entity.IsAbstract ? _derived : [new(null, entity, own), .. _derived];
        foreach (var group in classes.GroupBy(known => known.Discriminator).Where(group => group.Count() > 1))
        {
            var same = group.Last();
            string problem = $"Another class is already stored as '{same.Discriminator}'.";
            diagnostics.Report(Diagnostics.DerivedClass, same.Location, same.Type.Name, entity.Name, problem);
        }
        return diagnostics.IsEmpty ? classes : null;
    }

    /// <summary>Returns the properties of the derived classes that the entity class does not have.</summary>
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
                    $"Its property '{symbol.Name}' hides that of '{type.Name}'. Rename it, or override the other one.");
                continue;
            }
            if (properties.Find(other => other.Name == symbol.Name) is { } other)
            {
                diagnostics.Report(
                    Diagnostics.DerivedClass,
                    symbol,
                    symbol.ContainingType.Name,
                    type.Name,
                    $"'{other.ContainingType.Name}' also has a property '{symbol.Name}'. Rename one of them, or move it to '{type.Name}'.");
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

    string? DerivedProblem(INamedTypeSymbol entity, DerivedConfiguration derived)
    {
        if (entityTypes.Contains(derived.Type, SymbolEqualityComparer.Default))
            return "It has a keyspace of its own.";
        if (!Members.LineageOf(derived.Type).Skip(1).Contains(entity, SymbolEqualityComparer.Default))
            return $"It does not derive from '{entity.Name}'.";
        if (derived.Type.IsAbstract)
            return "It is abstract.";
        return derived.Discriminator.Length == 0 ? "Its discriminator is empty." : EntityProblem(derived.Type);
    }

    static string? EntityProblem(ITypeSymbol type)
    {
        if (type is not INamedTypeSymbol { TypeKind: TypeKind.Class } entity)
            return "It is not a class.";
        if (entity.IsGenericType)
            return "It is generic.";
        return Members.IsAccessible(entity)
            ? null
            : "It is private or protected, so generated code cannot use it. Make it internal or public.";
    }

    static bool IsSame(ISymbol? left, ISymbol right) => SymbolEqualityComparer.Default.Equals(left, right);
}
