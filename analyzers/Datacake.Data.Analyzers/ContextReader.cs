using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Datacake.Data.Analyzers;

/// <summary>The reader of the spec of a context, from its symbols.</summary>
static class ContextReader
{
    const int MaxKeyspaceNameLength = 200;

    public static ContextSpec? Read(GeneratorSyntaxContext syntax, CancellationToken cancellationToken)
    {
        var declaration = (ClassDeclarationSyntax)syntax.Node;
        if (syntax.SemanticModel.GetDeclaredSymbol(declaration, cancellationToken) is not { } type || !DerivesFromContext(type))
            return null;

        // If a class has several parts, the first one with a base list represents all of them.
        var first = type.DeclaringSyntaxReferences
            .Select(reference => reference.GetSyntax(cancellationToken))
            .OfType<ClassDeclarationSyntax>()
            .First(part => part.BaseList is { Types.Count: > 0 });
        if (first != declaration)
            return null;

        var diagnostics = new List<DiagnosticSpec>();
        bool isPartial = IsPartial(declaration);
        if (!isPartial)
            diagnostics.Add(DiagnosticSpec.Of(Diagnostics.ContextNotPartial, declaration.Identifier.GetLocation(), type.Name));

        var keyspaces = new List<KeyspaceSpec>();
        var entities = new List<EntitySpec>();
        var properties = KeyspacesOf(type);
        var entityTypes = properties.Select(EntityTypeOf).ToList();
        var inherited = Inherited(type, syntax.SemanticModel.Compilation, cancellationToken).ToList();
        var model = new ModelReader(syntax.SemanticModel.Compilation, type, entityTypes, cancellationToken);
        var configurations = model.Read();
        diagnostics.AddRange(model.Diagnostics);
        var relations = new RelationReader(properties, entityTypes, configurations, diagnostics).Read();
        foreach (var unknown in configurations.Where(known => !entityTypes.Contains(known.Key, SymbolEqualityComparer.Default)))
        {
            string name = unknown.Key.ToDisplayString(SymbolDisplayFormat.MinimallyQualifiedFormat);
            diagnostics.Add(DiagnosticSpec.Of(
                Diagnostics.Configuration,
                unknown.Value.Location,
                $"The context itself has no keyspace of '{name}'. Add 'public partial Keyspace<{name}> {(unknown.Key.Name.Length > 0 ? unknown.Key.Name : "Item")}s {{ get; }}'."));
        }
        for (int i = 0; i < properties.Count; i++)
        {
            var property = properties[i];
            cancellationToken.ThrowIfCancellationRequested();
            if (property.IsPartialDefinition is false || property.SetMethod is not null)
            {
                diagnostics.Add(DiagnosticSpec.Of(
                    Diagnostics.KeyspaceNotPartial, property.Locations.FirstOrDefault(), property.Name, entityTypes[i].Name));
                continue;
            }
            configurations.TryGetValue(entityTypes[i], out var configuration);
            keyspaces.Add(ReadKeyspace(property, type, [.. inherited, .. keyspaces], entities, entityTypes, configuration, diagnostics));
        }
        var related = RelationSpecs.Of(relations, entities);
        return new ContextSpec(
            Names.FullName(type),
            type.ContainingNamespace.IsGlobalNamespace ? null : type.ContainingNamespace.ToDisplayString(),
            EntityEmitter.Identifier(type.Name) + TypeParameters(type),
            new(ContainingTypes(type)),
            new(keyspaces),
            new(RelationSpecs.With(entities, related, type)),
            new(diagnostics))
        {
            IsPartial = isPartial,
            Identifier = Names.Identifier(type),
            Relations = new(related),
            Converters = new(model.Converters),
            Filters = new(model.Filters),
            Seeds = new(model.Seeds),
        };
    }

    static KeyspaceSpec ReadKeyspace(
        IPropertySymbol property,
        INamedTypeSymbol context,
        IReadOnlyList<KeyspaceSpec> others,
        List<EntitySpec> entities,
        List<ITypeSymbol> entityTypes,
        EntityConfiguration? configuration,
        List<DiagnosticSpec> diagnostics)
    {
        var location = property.Locations.FirstOrDefault();
        var entityType = EntityTypeOf(property);
        string name = KeyspaceName(property, configuration);
        if (name.Length is 0 or > MaxKeyspaceNameLength)
            diagnostics.Add(DiagnosticSpec.Of(Diagnostics.KeyspaceName, location, name));

        string entityTypeName = entityType.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat);
        foreach (var other in others)
        {
            if (other.KeyspaceName == name)
                diagnostics.Add(
                    DiagnosticSpec.Of(Diagnostics.DuplicateKeyspace, location, property.Name, $"name ('{name}')", other.Property));
            else if (other.EntityType == entityTypeName)
                diagnostics.Add(
                    DiagnosticSpec.Of(
                        Diagnostics.DuplicateKeyspace, location, property.Name, $"entity class ('{entityType.Name}')", other.Property));
        }

        var bag = new DiagnosticBag(location);
        var entity = new EntityReader(entityType, entityTypes, context, configuration, bag).Read();
        diagnostics.AddRange(bag.Items);
        if (entity is not null && entities.All(known => known.ModelName != entity.ModelName))
            entities.Add(entity);
        return new KeyspaceSpec(Modifiers(property), property.Name, entityTypeName, name, entity?.ModelName);
    }

    /// <summary>Returns the keyspaces of the contexts that a context derives from, which belong to it as well.</summary>
    static IEnumerable<KeyspaceSpec> Inherited(INamedTypeSymbol type, Compilation compilation, CancellationToken cancellationToken)
    {
        for (var ancestor = type.BaseType; ancestor is not null && DerivesFromContext(ancestor); ancestor = ancestor.BaseType)
        {
            var properties = KeyspacesOf(ancestor);
            var configurations = new ModelReader(compilation, ancestor, [.. properties.Select(EntityTypeOf)], cancellationToken).Read();
            foreach (var property in properties)
            {
                configurations.TryGetValue(EntityTypeOf(property), out var configuration);
                yield return new KeyspaceSpec(
                    "", property.Name, EntityTypeOf(property).ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat), KeyspaceName(property, configuration), ModelName: null);
            }
        }
    }

    static List<IPropertySymbol> KeyspacesOf(INamedTypeSymbol context) => [.. context.GetMembers().OfType<IPropertySymbol>().Where(IsKeyspace)];

    static ITypeSymbol EntityTypeOf(IPropertySymbol keyspace) => ((INamedTypeSymbol)keyspace.Type).TypeArguments[0];

    static bool DerivesFromContext(INamedTypeSymbol type)
    {
        for (var ancestor = type.BaseType; ancestor is not null; ancestor = ancestor.BaseType)
        {
            if (Names.FullName(ancestor) == "Datacake.Data.DatacakeContext")
                return true;
        }
        return false;
    }

    static bool IsKeyspace(IPropertySymbol property) =>
        property is { IsStatic: false, PartialDefinitionPart: null, Type: INamedTypeSymbol { Arity: 1 } type }
        && Names.FullName(type) == "Datacake.Data.Keyspace";

    static string KeyspaceName(IPropertySymbol property, EntityConfiguration? configuration) =>
        configuration?.Keyspace ?? KeyspaceName(property) ?? KeyspaceName(EntityTypeOf(property)) ?? property.Name;

    static string? KeyspaceName(ISymbol symbol) =>
        (symbol.Find(Names.Data + "KeyspaceAttribute") ?? symbol.Find(Names.Annotations + "Schema.TableAttribute"))
            ?.ConstructorArguments.FirstOrDefault().Value as string;

    static bool IsPartial(TypeDeclarationSyntax declaration) =>
        declaration.Modifiers.Any(SyntaxKind.PartialKeyword)
            && (declaration.Parent is not TypeDeclarationSyntax parent || IsPartial(parent));

    static List<string> ContainingTypes(INamedTypeSymbol type)
    {
        var types = new List<string>();
        for (var container = type.ContainingType; container is not null; container = container.ContainingType)
        {
            string kind = container switch
            {
                { IsRecord: true, IsValueType: true } => "record struct",
                { IsRecord: true } => "record",
                { IsValueType: true } => "struct",
                { TypeKind: TypeKind.Interface } => "interface",
                _ => "class",
            };
            types.Insert(0, $"partial {kind} {EntityEmitter.Identifier(container.Name)}{TypeParameters(container)}");
        }
        return types;
    }

    static string TypeParameters(INamedTypeSymbol type) =>
        type.TypeParameters.Length == 0 ? "" : $"<{string.Join(", ", type.TypeParameters.Select(parameter => EntityEmitter.Identifier(parameter.Name)))}>";

    static string Modifiers(IPropertySymbol property)
    {
        var modifiers = new List<string>
        {
            SyntaxFacts.GetText(property.DeclaredAccessibility),
        };
        // The symbol does not have these modifiers.
        foreach (var modifier in (property.DeclaringSyntaxReferences.FirstOrDefault()?.GetSyntax() as PropertyDeclarationSyntax)?.Modifiers ?? [])
        {
            if (modifier.IsKind(SyntaxKind.NewKeyword) || modifier.IsKind(SyntaxKind.UnsafeKeyword))
                modifiers.Add(modifier.Text);
        }
        if (property.IsVirtual)
            modifiers.Add("virtual");
        if (property.IsOverride)
            modifiers.Add("override");
        if (property.IsSealed)
            modifiers.Add("sealed");
        return string.Join(" ", modifiers.Where(modifier => modifier.Length > 0));
    }
}
