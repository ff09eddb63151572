using Microsoft.CodeAnalysis;

namespace Datacake.Data.Analyzers;

/// <summary>Reads the spec of an entity class from its symbols, and collects what is wrong with it.</summary>
sealed class EntityReader(ITypeSymbol type, List<ITypeSymbol> entityTypes, Location? keyspaceLocation)
{
    const string Data = "Datacake.Data.", Annotations = "System.ComponentModel.DataAnnotations.";

    readonly List<DiagnosticSpec> _diagnostics = [];

    public IReadOnlyList<DiagnosticSpec> Diagnostics => _diagnostics;

    public EntitySpec? Read()
    {
        if (WhyNoEntity() is { } reason)
        {
            Report(Analyzers.Diagnostics.EntityClass, type, type.Name, reason);
            return null;
        }
        var entity = (INamedTypeSymbol)type;
        var symbols = MappedProperties(entity).ToList();
        var keys = FindKey(entity, symbols);
        if (keys.Count == 0)
            Report(Analyzers.Diagnostics.NoKey, type, type.Name);
        foreach (var key in keys.Where(key => !TypeMapping.IsKey(key.Type)))
            Report(Analyzers.Diagnostics.KeyType, key, type.Name, key.Name, key.Type.ToDisplayString());
        if (_diagnostics.Count > 0)
            return null;

        var path = new List<INamedTypeSymbol> { entity };
        var properties = keys.Select(key => Property(key, "", MappingKind.Key) with { OrderedCodec = TypeMapping.Scalar(key.Type) }).ToList();
        properties.AddRange(symbols
            .Where(symbol => !keys.Contains(symbol, SymbolEqualityComparer.Default))
            .Select(symbol => Map(symbol, "", path))
            .OfType<PropertySpec>());
        var constructor = FindConstructor(entity, properties);
        var all = properties.SelectMany(property => property.WithDescendants()).ToList();
        var indexes = FindIndexes(entity, all);
        if (_diagnostics.Count > 0 || constructor is null)
            return null;
        return new EntitySpec(
            entity.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat),
            Names.FullName(entity),
            Names.Identifier(entity) + "Model",
            entity.Find(Data + "DeleteWinsAttribute") is not null,
            constructor,
            new(properties),
            new(indexes));
    }

    string? WhyNoEntity()
    {
        if (type is not INamedTypeSymbol { TypeKind: TypeKind.Class } entity)
            return "it is no class";
        if (entity.IsAbstract)
            return "it is abstract";
        if (entity.IsGenericType)
            return "it is generic";
        return IsAccessible(entity) ? null : "it is private or protected, and the generated code cannot see it; make it internal or public";
    }

    static bool IsAccessible(INamedTypeSymbol type)
    {
        for (var part = type; part is not null; part = part.ContainingType)
        {
            if (
                part.DeclaredAccessibility is Accessibility.Private or Accessibility.Protected or Accessibility.ProtectedAndInternal
                    || part.IsFileLocal)
                return false;
        }
        return true;
    }

    /// <summary>
    /// The readable properties of a class and of those that it derives from, theirs first, without those that are not stored.
    /// </summary>
    static IEnumerable<IPropertySymbol> MappedProperties(INamedTypeSymbol type)
    {
        var lineage = new List<INamedTypeSymbol>();
        for (var ancestor = type; ancestor is not null && ancestor.SpecialType != SpecialType.System_Object; ancestor = ancestor.BaseType)
            lineage.Insert(0, ancestor);
        var properties = new List<IPropertySymbol>();
        foreach (var property in lineage.SelectMany(ancestor => ancestor.GetMembers().OfType<IPropertySymbol>()))
        {
            if (property is not { IsStatic: false, IsIndexer: false, DeclaredAccessibility: Accessibility.Public, GetMethod.DeclaredAccessibility: Accessibility.Public }
                || property.PartialDefinitionPart is not null)
                continue;
            // An override, or a property that hides one, takes its place.
            properties.RemoveAll(hidden => hidden.Name == property.Name);
            properties.Add(property);
        }
        return properties.Where(property =>
            property.Find(Data + "IgnoreAttribute") is null
            && property.Find(Annotations + "Schema.NotMappedAttribute") is null
            && (property.SetMethod is not null || IsAuto(property)));
    }

    /// <summary>Whether a property without a setter stores something, rather than computes it.</summary>
    static bool IsAuto(IPropertySymbol property) =>
        property.ContainingType.GetMembers().OfType<IFieldSymbol>().Any(
            field => SymbolEqualityComparer.Default.Equals(field.AssociatedSymbol, property));

    static List<IPropertySymbol> FindKey(INamedTypeSymbol entity, List<IPropertySymbol> properties)
    {
        var marked = properties.Where(property => property.Find(Annotations + "KeyAttribute") is not null).ToList();
        if (marked.Count > 0)
            return [.. marked.OrderBy(ColumnOrder)];
        var byConvention = properties.Find(property => string.Equals(property.Name, "Id", StringComparison.OrdinalIgnoreCase))
            ?? properties.Find(property => string.Equals(property.Name, entity.Name + "Id", StringComparison.OrdinalIgnoreCase));
        return byConvention is null ? [] : [byConvention];
    }

    static int ColumnOrder(IPropertySymbol property) =>
        property.Find(Annotations + "Schema.ColumnAttribute")?.NamedArguments.FirstOrDefault(argument => argument.Key == "Order").Value.Value as int?
            ?? 0;

    PropertySpec? Map(IPropertySymbol symbol, string prefix, List<INamedTypeSymbol> path)
    {
        var type = symbol.Type;
        if (symbol.Find(Data + "CounterAttribute") is not null)
        {
            if (type.SpecialType is SpecialType.System_Int32 or SpecialType.System_Int64 && symbol.SetMethod is not null)
                return Property(symbol, prefix, MappingKind.Counter) with { OrderedCodec = null };
            Report(Analyzers.Diagnostics.CounterType, symbol, symbol.ContainingType.Name, symbol.Name, type.ToDisplayString());
            return null;
        }
        if (TypeMapping.Value(type) is { } codec)
        {
            return Property(symbol, prefix, MappingKind.Value) with
            {
                Codec = codec,
                OrderedCodec = TypeMapping.Scalar(TypeMapping.NullableOf(type) ?? type),
            };
        }
        if (TypeMapping.NewSet(type) is { } newSet)
        {
            if (TypeMapping.Scalar(((INamedTypeSymbol)type).TypeArguments[0]) is { } element)
            {
                return Property(symbol, prefix, MappingKind.Set) with
                {
                    ElementCodec = element,
                    OrderedCodec = element,
                    NewCollection = newSet,
                };
            }
            return Unsupported(symbol, "the elements of a set are single values, such as strings, numbers or dates");
        }
        if (TypeMapping.NewDictionary(type) is { } newDictionary)
        {
            var arguments = ((INamedTypeSymbol)type).TypeArguments;
            if (TypeMapping.Scalar(arguments[0]) is { } keyCodec && TypeMapping.Value(arguments[1]) is { } valueCodec)
            {
                return Property(symbol, prefix, MappingKind.Dictionary) with
                {
                    ElementCodec = keyCodec,
                    Codec = valueCodec,
                    ValueType = TypeMapping.Bare(arguments[1]),
                    NewCollection = newDictionary,
                };
            }
            return Unsupported(symbol, "the keys of a dictionary are single values, and its values these or lists of them");
        }
        return MapOwned(symbol, prefix, path);
    }

    PropertySpec? MapOwned(IPropertySymbol symbol, string prefix, List<INamedTypeSymbol> path)
    {
        var type = symbol.Type;
        if (type is not INamedTypeSymbol { TypeKind: TypeKind.Class, IsAbstract: false, IsGenericType: false, SpecialType: SpecialType.None } owned
            || Names.FullName(owned.ContainingNamespace) is "System"
            || Names.FullName(owned.ContainingNamespace).StartsWith("System.", StringComparison.Ordinal))
            return Unsupported(symbol, $"'{type.ToDisplayString()}' is not one of the types that the README lists");
        if (entityTypes.Contains(type, SymbolEqualityComparer.Default))
            return Unsupported(symbol, $"'{type.Name}' is an entity class with a keyspace of its own; hold its key instead");
        if (!IsAccessible(owned))
            return Unsupported(
                symbol, $"'{type.Name}' is private or protected, and the generated code cannot see it; make it internal or public");
        if (path.Contains(owned, SymbolEqualityComparer.Default))
        {
            Report(Analyzers.Diagnostics.OwnedCycle, symbol, symbol.ContainingType.Name, symbol.Name, owned.Name);
            return null;
        }

        path.Add(owned);
        var children = MappedProperties(owned).Select(child => Map(child, prefix + symbol.Name + ".", path)).OfType<PropertySpec>().ToList();
        path.RemoveAt(path.Count - 1);
        if (FindConstructor(owned, children) is not { } constructor)
            return null;
        return Property(symbol, prefix, MappingKind.Owned) with
        {
            Constructor = constructor,
            Children = new(children),
        };
    }

    static PropertySpec Property(IPropertySymbol symbol, string prefix, MappingKind kind)
    {
        bool isReference = symbol.Type.IsReferenceType;
        bool isNullable = isReference
            ? symbol.NullableAnnotation != NullableAnnotation.NotAnnotated
            : TypeMapping.NullableOf(symbol.Type) is not null;
        bool isRequired = symbol.Find(Annotations + "RequiredAttribute") is not null || (isReference && !isNullable);
        return new PropertySpec(
            symbol.Name,
            prefix + symbol.Name,
            symbol.Type.ToDisplayString(Names.WithNullability),
            symbol.ContainingType.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat),
            kind,
            SetterOf(symbol))
        {
            BareType = TypeMapping.Bare(symbol.Type),
            IsNullable = isNullable,
            IsReference = isReference,
            IsRequired = isRequired,
            MaxLength = LengthOf(symbol, "MaxLengthAttribute") ?? LengthOf(symbol, "StringLengthAttribute"),
            IsConcurrencyToken = symbol.Find(Annotations + "ConcurrencyCheckAttribute") is not null,
        };
    }

    static SetterKind SetterOf(IPropertySymbol symbol) => symbol.SetMethod switch
    {
        null => SetterKind.None,
        { IsInitOnly: false, DeclaredAccessibility: Accessibility.Public } => SetterKind.Direct,
        _ => SetterKind.Accessor,
    };

    static int? LengthOf(IPropertySymbol symbol, string attribute) =>
        symbol.Find(Annotations + attribute)?.ConstructorArguments.FirstOrDefault().Value is int and >= 0 and var length ? length : null;

    /// <summary>The constructor without parameters, or else the longest one that all the properties' names and types fit.</summary>
    ConstructorSpec? FindConstructor(INamedTypeSymbol owner, List<PropertySpec> properties)
    {
        string type = owner.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat);
        foreach (
            var constructor in owner.InstanceConstructors.OrderBy(
                candidate => candidate.Parameters.Length == 0 ? int.MinValue : -candidate.Parameters.Length))
        {
            var arguments = constructor.Parameters.Select(parameter => Argument(parameter, properties)).ToList();
            if (arguments.Contains(null))
                continue;
            bool isDirect = constructor.DeclaredAccessibility is Accessibility.Public or Accessibility.Internal or Accessibility.ProtectedOrInternal
                && (!HasRequiredMembers(owner) || constructor.Find("System.Diagnostics.CodeAnalysis.SetsRequiredMembersAttribute") is not null);
            return new ConstructorSpec(type, isDirect, new(arguments.OfType<ArgumentSpec>()));
        }
        Report(Analyzers.Diagnostics.NoConstructor, owner, owner.Name);
        return null;
    }

    static ArgumentSpec? Argument(IParameterSymbol parameter, List<PropertySpec> properties)
    {
        string bare = TypeMapping.Bare(parameter.Type);
        var property = properties.Find(
            candidate => string.Equals(candidate.Name, parameter.Name, StringComparison.OrdinalIgnoreCase) && candidate.BareType == bare);
        if (property is null || parameter.RefKind != RefKind.None)
            return null;
        string missing = parameter is { HasExplicitDefaultValue: true, ExplicitDefaultValue: null } || !parameter.HasExplicitDefaultValue
            ? $"default({bare})!"
            : $"({bare}){Microsoft.CodeAnalysis.CSharp.SymbolDisplay.FormatPrimitive(parameter.ExplicitDefaultValue!, quoteStrings: true, useHexadecimalNumbers: false)}{NumberSuffix(parameter.ExplicitDefaultValue!)}";
        bool isRead = property.Kind is MappingKind.Value or MappingKind.Key;
        return isRead || property.Setter != SetterKind.None
            ? new ArgumentSpec(property.Type, isRead ? property.Path : null, missing)
            : null;
    }

    static string NumberSuffix(object value) => value switch
    {
        decimal => "m",
        double => "d",
        float => "f",
        ulong => "ul",
        long => "l",
        _ => "",
    };

    static bool HasRequiredMembers(INamedTypeSymbol type)
    {
        for (var ancestor = type; ancestor is not null; ancestor = ancestor.BaseType)
        {
            if (ancestor.GetMembers().Any(member => member is IPropertySymbol { IsRequired: true } or IFieldSymbol { IsRequired: true }))
                return true;
        }
        return false;
    }

    List<IndexSpec> FindIndexes(INamedTypeSymbol entity, List<PropertySpec> properties)
    {
        var indexes = new List<IndexSpec>();
        CollectFromProperties(entity, "", properties, indexes);
        foreach (var attribute in entity.GetAttributes().Where(IsIndex))
        {
            var names = attribute.ConstructorArguments.SelectMany(argument => argument.Kind == TypedConstantKind.Array
                ? argument.Values.Select(value => value.Value as string ?? "")
                : [argument.Value as string ?? ""]).ToList();
            Add(entity, indexes, properties, attribute, names);
        }
        return indexes;
    }

    void CollectFromProperties(INamedTypeSymbol owner, string prefix, List<PropertySpec> properties, List<IndexSpec> indexes)
    {
        foreach (var symbol in MappedProperties(owner))
        {
            string path = prefix + symbol.Name;
            foreach (var attribute in symbol.GetAttributes().Where(IsIndex))
                Add(symbol, indexes, properties, attribute, attribute.ConstructorArguments.Length == 0 ? [path] : []);
            if (properties.Find(property => property.Path == path) is { Kind: MappingKind.Owned })
                CollectFromProperties((INamedTypeSymbol)symbol.Type, path + ".", properties, indexes);
        }
    }

    void Add(ISymbol place, List<IndexSpec> indexes, List<PropertySpec> properties, AttributeData attribute, List<string> names)
    {
        string name = attribute.NamedArguments.FirstOrDefault(argument => argument.Key == "Name").Value.Value as string
            ?? string.Join("_", names);
        string? problem = names.Count == 0 ? "name the properties on the class, and none on a property" : null;
        problem ??= indexes.Any(index => index.Name == name) ? "there is another one of that name; set the Name of one" : null;
        problem ??= names.Distinct().Count() < names.Count ? "it names a property twice" : null;
        foreach (string property in names)
        {
            problem ??= properties.Find(candidate => candidate.Path == property) switch
            {
                null => $"there is no mapped property '{property}'",
                { Kind: MappingKind.Key } => $"'{property}' is of the key, by which every index orders in the end anyway",
                { Kind: MappingKind.Counter } => $"'{property}' is a counter, whose value is a sum of its cells",
                { Kind: MappingKind.Set } when names.Count > 1 => $"'{property}' is a set, and one of several properties cannot be",
                { OrderedCodec: null } => $"'{property}' is not a single value or a set of them",
                _ => null,
            };
        }
        if (problem is null)
            indexes.Add(new IndexSpec(name, new(names)));
        else
            Report(Analyzers.Diagnostics.IndexProperty, place, type.Name, name, problem);
    }

    static bool IsIndex(AttributeData attribute) => attribute.AttributeClass is { } type && Names.FullName(type) == Data + "IndexAttribute";

    PropertySpec? Unsupported(IPropertySymbol symbol, string reason)
    {
        Report(Analyzers.Diagnostics.PropertyType, symbol, symbol.ContainingType.Name, symbol.Name, reason);
        return null;
    }

    /// <summary>Reports at the symbol if it is in source, else at the keyspace that has the class.</summary>
    void Report(DiagnosticDescriptor descriptor, ISymbol symbol, params string[] arguments) =>
        _diagnostics.Add(
            DiagnosticSpec.Of(descriptor, symbol.Locations.FirstOrDefault(location => location.IsInSource) ?? keyspaceLocation, arguments));
}
