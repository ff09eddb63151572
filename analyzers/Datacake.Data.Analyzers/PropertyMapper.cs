using Microsoft.CodeAnalysis;

namespace Datacake.Data.Analyzers;

/// <summary>Decides how a property is mapped: from its type, its attributes, and what <c>OnModelCreating</c> says of it.</summary>
/// <param name="configuration">What <c>OnModelCreating</c> says of the entity class.</param>
/// <param name="entityTypes">The classes that have keyspaces of their own.</param>
/// <param name="converters">What gives the converters that are lambdas.</param>
/// <param name="diagnostics">Takes what is wrong.</param>
sealed class PropertyMapper(
    EntityConfiguration configuration, IReadOnlyList<ITypeSymbol> entityTypes, ConverterReader converters, DiagnosticBag diagnostics)
{
    readonly HashSet<string> _ignored = [];
    readonly Dictionary<string, ObjectSpec> _objects = [];

    /// <summary>The paths of the properties that <c>OnModelCreating</c> leaves out.</summary>
    public IReadOnlyCollection<string> Ignored => _ignored;

    /// <summary>The classes whose objects are stored as one value.</summary>
    public IEnumerable<ObjectSpec> Objects => _objects.Values;

    /// <summary>The properties of a class that are stored.</summary>
    public IEnumerable<IPropertySymbol> PropertiesOf(INamedTypeSymbol owner, string prefix = "")
    {
        foreach (var symbol in Members.PropertiesOf(owner).Where(symbol => !IsIgnored(prefix + symbol.Name) && !configuration.Navigations.Contains(symbol)
            && !configuration.Conventions.Any(convention => convention.IsIgnored && convention.Covers(symbol.Type))))
        {
            if (Members.HiderOf(symbol, owner) is { } hider)
                Unsupported(symbol, $"'{hider.Name}' has a member of the same name, which hides it; rename one");
            else
                yield return symbol;
        }
    }

    public PropertySpec? MapKey(IPropertySymbol symbol)
    {
        var property = Describe(symbol, Place.Root, MappingKind.Key);
        var (converter, storedType) = converters.Find(symbol, Configured(symbol.Name));
        if (storedType is null)
            return null;
        if (!TypeMapping.IsKey(storedType) || TypeMapping.NullableOf(symbol.Type) is not null)
        {
            var wrong = converter is null ? symbol.Type : storedType;
            diagnostics.Report(Diagnostics.KeyType, symbol, symbol.ContainingType.Name, symbol.Name, wrong.ToDisplayString());
            return null;
        }
        return property with
        {
            Converter = converter,
            OrderedCodec = converter is null ? TypeMapping.Scalar(symbol.Type) : TypeMapping.Converted(converter),
        };
    }

    /// <param name="symbol">The property.</param>
    /// <param name="place">Where it is.</param>
    /// <param name="path">The classes on the way to it, which an owned object cannot be of.</param>
    public PropertySpec? Map(IPropertySymbol symbol, Place place, List<INamedTypeSymbol> path)
    {
        var type = symbol.Type;
        var configured = Configured(place.Prefix + symbol.Name);
        if (configured?.IsCounter == true || symbol.Find(Names.Data + "CounterAttribute") is not null)
        {
            if (type.SpecialType is SpecialType.System_Int32 or SpecialType.System_Int64 && Members.SetterOf(symbol) != SetterKind.None)
                return Describe(symbol, place, MappingKind.Counter);
            diagnostics.Report(Diagnostics.CounterType, symbol, symbol.ContainingType.Name, symbol.Name, type.ToDisplayString());
            return null;
        }
        var (converter, storedType) = converters.Find(symbol, configured);
        if (storedType is null)
            return null;
        if (converter is not null)
        {
            var codec = TypeMapping.Converted(converter);
            return Describe(symbol, place, MappingKind.Value) with
            {
                Converter = converter,
                Codec = TypeMapping.NullableOf(type) is null ? codec : TypeMapping.Nullable(type, codec),
                OrderedCodec = codec,
            };
        }
        // A set or dictionary behind an interface is what is filled.
        var filled = Members.FieldOf(symbol)?.Type ?? type;
        if (Collections.Set(filled) is { } set)
            return MapSet(symbol, place, (INamedTypeSymbol)filled, set);
        if (Collections.Dictionary(filled) is { } dictionary)
            return MapDictionary(symbol, place, (INamedTypeSymbol)filled, dictionary, path);
        int errors = diagnostics.Count;
        if (TypeMapping.Value(type, item => MapObject(symbol, item, place, path)) is { } value)
        {
            return Describe(symbol, place, MappingKind.Value) with
            {
                Codec = value,
                OrderedCodec = TypeMapping.Scalar(TypeMapping.NullableOf(type) ?? type),
            };
        }
        return diagnostics.Count > errors ? null : MapOwned(symbol, place, path);
    }

    PropertySpec? MapSet(IPropertySymbol symbol, Place place, INamedTypeSymbol type, CollectionSpec collection)
    {
        if (TypeMapping.Scalar(type.TypeArguments[0]) is not { } element)
            return Unsupported(symbol, "the elements of a set are single values, such as strings, numbers or dates");
        return Describe(symbol, place, MappingKind.Set, collection) with
        {
            ElementCodec = element,
            OrderedCodec = element,
        };
    }

    PropertySpec? MapDictionary(
        IPropertySymbol symbol, Place place, INamedTypeSymbol type, CollectionSpec collection, List<INamedTypeSymbol> path)
    {
        var arguments = type.TypeArguments;
        int errors = diagnostics.Count;
        var value = TypeMapping.Item(arguments[1], item => MapObject(symbol, item, place, path));
        if (diagnostics.Count > errors)
            return null;
        if (TypeMapping.Scalar(arguments[0]) is not { } keyCodec || value is not { } valueCodec)
            return Unsupported(symbol, "the keys of a dictionary are single values, and its values these, objects, or lists");
        return Describe(symbol, place, MappingKind.Dictionary, collection) with
        {
            ElementCodec = keyCodec,
            Codec = valueCodec,
            AreItemsRequired = TypeMapping.IsRequired(arguments[1]),
        };
    }

    PropertySpec? MapOwned(IPropertySymbol symbol, Place place, List<INamedTypeSymbol> path)
    {
        if (!IsOwnable(symbol.Type) || symbol.Type.IsValueType)
        {
            bool isCollection = symbol.Type.AllInterfaces.Any(known => known.SpecialType == SpecialType.System_Collections_IEnumerable);
            return Unsupported(
                symbol,
                isCollection ? $"'{symbol.Type.ToDisplayString()}' is a collection, and collections are lists, arrays, sets and dictionaries of .NET, of the types that the README lists"
                : $"'{symbol.Type.ToDisplayString()}' is not one of the types that the README lists, and no [Converter<...>] makes it one");
        }
        var owned = (INamedTypeSymbol)symbol.Type;
        if (!CanOwn(symbol, owned, path))
            return null;

        var property = Describe(symbol, place, MappingKind.Owned);
        var inner = place with { Prefix = property.Path + ".", StoredPrefix = property.StoredPath + "." };
        path.Add(owned);
        var children = PropertiesOf(owned, inner.Prefix).Select(child => Map(child, inner, path)).OfType<PropertySpec>().ToList();
        path.RemoveAt(path.Count - 1);
        if (children.Count == 0 && !PropertiesOf(owned, inner.Prefix).Any())
            return Unsupported(symbol, $"'{owned.Name}' has no properties that can be stored; a [Converter<...>] can store it as one value");
        if (Constructors.Find(owned, children) is { } constructor)
            return property with { Constructor = constructor, Children = new(children) };
        diagnostics.Report(Diagnostics.NoConstructor, owned, owned.Name);
        return null;
    }

    /// <summary>The codec of objects in lists and dictionaries, and of structures; null if the type is neither, or if what is wrong is reported.</summary>
    CodecSpec? MapObject(IPropertySymbol symbol, ITypeSymbol item, Place place, List<INamedTypeSymbol> path)
    {
        if (!IsOwnable(item) || !CanOwn(symbol, (INamedTypeSymbol)item, path))
            return null;
        var owned = (INamedTypeSymbol)item;
        // Whether the arguments of a generic class may be null is a difference between codecs: that of their rules.
        string type = TypeMapping.Bare(owned), plain = owned.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat);
        string name = $"{Names.Identifier(owned)}{(type == plain ? "" : "_" + Names.HashOf(type))}Codec";
        var codec = new CodecSpec(name + ".Instance", type, IsScalar: false);
        if (_objects.TryGetValue(type, out var known))
            return codec with { HasRules = known.HasRules };
        var inner = new Place($"{place.Prefix}{symbol.Name}[].", "", place.DerivedType);
        var properties = new List<PropertySpec>();
        path.Add(owned);
        var children = PropertiesOf(owned, inner.Prefix).ToList();
        int before = diagnostics.Count;
        if (owned.IsValueType && Members.LostField(owned, children) is { } lost)
            Unsupported(symbol, $"the field '{lost.Name}' of '{owned.Name}' would be lost, for properties are what is stored; a [Converter<...>] can store it as one value");
        else if (children.Count == 0)
            Unsupported(symbol, $"'{owned.Name}' has no properties that can be stored; a [Converter<...>] can store it as one value");
        foreach (var child in children)
        {
            int errors = diagnostics.Count;
            var (converter, storedType) = converters.Find(child, Configured(inner.Prefix + child.Name));
            var value = converter is null ? null : TypeMapping.Converted(converter);
            value = value is not null && TypeMapping.NullableOf(child.Type) is not null ? TypeMapping.Nullable(child.Type, value) : value;
            value ??= storedType is null ? null : TypeMapping.Item(child.Type, one => MapObject(child, one, inner, path));
            if (value is not null)
                properties.Add(Describe(child, inner, MappingKind.Value) with { Codec = value });
            else if (diagnostics.Count == errors)
                Unsupported(child, $"it is in the list, dictionary or structure '{symbol.Name}', where properties are values, objects, and lists");
        }
        path.RemoveAt(path.Count - 1);
        if (diagnostics.Count > before)
            return null;
        if (Constructors.Find(owned, properties) is not { } constructor)
        {
            diagnostics.Report(Diagnostics.NoConstructor, owned, owned.Name);
            return null;
        }
        var spec = new ObjectSpec(codec.ValueType, name, owned.IsValueType, owned.IsSealed, $"{symbol.ContainingType.Name}.{symbol.Name}", constructor, new(properties));
        _objects[type] = spec;
        return codec with { HasRules = spec.HasRules };
    }

    static bool IsOwnable(ITypeSymbol type) =>
        type is INamedTypeSymbol { TypeKind: TypeKind.Class or TypeKind.Struct, IsAbstract: false, IsUnboundGenericType: false, IsRefLikeType: false, SpecialType: SpecialType.None }
        && type.AllInterfaces.All(known => known.SpecialType != SpecialType.System_Collections_IEnumerable)
        && Names.FullName(type.ContainingNamespace) is not "System"
        && !Names.FullName(type.ContainingNamespace).StartsWith("System.", StringComparison.Ordinal);

    /// <summary>Whether objects of a class can be within another one; what is wrong is reported.</summary>
    bool CanOwn(IPropertySymbol symbol, INamedTypeSymbol owned, List<INamedTypeSymbol> path)
    {
        if (entityTypes.Contains(owned, SymbolEqualityComparer.Default))
            Unsupported(symbol, $"'{owned.Name}' is an entity class with a keyspace of its own; hold its key instead, or a set of keys");
        else if (Members.LineageOf(owned).FirstOrDefault(type => entityTypes.Contains(type, SymbolEqualityComparer.Default)) is { } entity)
            Unsupported(symbol, $"'{owned.Name}' is stored among the entities of '{entity.Name}'; refer to a '{entity.Name}'");
        else if (!Members.IsAccessible(owned))
            Unsupported(symbol, $"'{owned.Name}' is private or protected, so the generated code cannot see it; make it internal or public");
        else if (path.Contains(owned, SymbolEqualityComparer.Default))
            diagnostics.Report(Diagnostics.OwnedCycle, symbol, symbol.ContainingType.Name, symbol.Name, owned.Name);
        else
            return true;
        return false;
    }

    PropertySpec Describe(IPropertySymbol symbol, Place place, MappingKind kind, CollectionSpec? collection = null)
    {
        var field = Members.FieldOf(symbol);
        var setter = Members.SetterOf(symbol);
        bool isReference = symbol.Type.IsReferenceType;
        bool isNullable = isReference
            ? symbol.NullableAnnotation != NullableAnnotation.NotAnnotated
            : TypeMapping.NullableOf(symbol.Type) is not null;
        bool isRequired = symbol.Find(Names.Annotations + "RequiredAttribute") is not null || (isReference && !isNullable);
        var configured = Configured(place.Prefix + symbol.Name);
        CheckAttributes(symbol, place, kind);
        return new PropertySpec(
            symbol.Name,
            place.Prefix + symbol.Name,
            place.StoredPrefix + StoredName(symbol, configured),
            Names.Of(symbol.Type),
            // What can be set as it is needs no accessor.
            setter == SetterKind.Direct ? AccessSpec.None : AccessSpec.Of(symbol.ContainingType, [field?.OriginalDefinition.Type ?? symbol.OriginalDefinition.Type])
                with
            { IsAssumed = Members.IsHidden(symbol) && collection is not { Finish: null } },
            kind,
            setter)
        {
            Field = field?.Name ?? $"<{symbol.Name}>k__BackingField",
            FieldType = field is null || SymbolEqualityComparer.Default.Equals(field.Type, symbol.Type) ? null : TypeMapping.Bare(field.Type),
            HiddenField = Members.IsHidden(symbol) ? HiddenFields.Of(symbol) : null,
            DerivedType = place.DerivedType,
            BareType = TypeMapping.Bare(symbol.Type),
            IsNullable = isNullable,
            IsReference = isReference,
            IsOfStructure = symbol.ContainingType.IsValueType,
            IsSealed = symbol.Type.IsSealed,
            IsObsolete = Members.IsObsolete(symbol),
            Collection = collection,
            IsRequired = configured?.IsRequired ?? isRequired,
            MaxLength = configured?.MaxLength ?? LengthOf(symbol, "MaxLengthAttribute") ?? LengthOf(symbol, "StringLengthAttribute")
                ?? configuration.Conventions.LastOrDefault(convention => convention.MaxLength is not null && convention.Covers(symbol.Type))?.MaxLength,
            IsConcurrencyToken = configured?.IsConcurrencyToken ?? (symbol.Find(Names.Annotations + "ConcurrencyCheckAttribute") is not null),
        };
    }

    /// <summary>Reports attributes that mean something to Entity Framework, and that nothing here goes by.</summary>
    void CheckAttributes(IPropertySymbol symbol, Place place, MappingKind kind)
    {
        if (symbol.Find(Names.Annotations + "TimestampAttribute") is not null)
            Report("Timestamp", "no database numbers the versions of an entity; put [ConcurrencyCheck] on a property that you set with each change");
        if (kind != MappingKind.Key && symbol.Find(Names.Annotations + "Schema.DatabaseGeneratedAttribute")?.ConstructorArguments.FirstOrDefault().Value is > 0)
            Report("DatabaseGenerated", "values are generated for keys alone; give the property an initializer, or set it in a handler of SavingChanges");
        if (place.IsInList && symbol.Find(Names.Annotations + "ConcurrencyCheckAttribute") is not null)
            Report("ConcurrencyCheck", "the object is part of a list or dictionary; put the attribute on that one");

        void Report(string attribute, string text) =>
            diagnostics.Report(Diagnostics.AttributeWithoutEffect, symbol, symbol.ContainingType.Name, symbol.Name, attribute, text);
    }

    string StoredName(IPropertySymbol symbol, PropertyConfiguration? configured)
    {
        string name = configured?.FormerName
            ?? symbol.Find(Names.Data + "FormerNameAttribute")?.ConstructorArguments.FirstOrDefault().Value as string
            ?? symbol.Find(Names.Annotations + "Schema.ColumnAttribute")?.ConstructorArguments.FirstOrDefault().Value as string
            ?? symbol.Name;
        string? problem = name.Length == 0 ? "the name is empty"
            : name.Contains('.') || name[0] == '$' ? "the name has a dot in it or starts with a $, which are for names that nodes make"
            : null;
        if (problem is not null)
            diagnostics.Report(Diagnostics.StoredName, symbol, symbol.ContainingType.Name, symbol.Name, name, problem);
        return name;
    }

    bool IsIgnored(string path)
    {
        if (Configured(path)?.IsIgnored != true)
            return false;
        _ignored.Add(path);
        return true;
    }

    PropertyConfiguration? Configured(string path) => configuration.Properties.TryGetValue(path, out var property) ? property : null;

    static int? LengthOf(IPropertySymbol symbol, string attribute) =>
        symbol.Find(Names.Annotations + attribute)?.ConstructorArguments.FirstOrDefault().Value is int and >= 0 and var length
            ? length
            : null;

    static bool HasErrors(ITypeSymbol type) => type switch
    {
        IErrorTypeSymbol => true,
        IArrayTypeSymbol array => HasErrors(array.ElementType),
        INamedTypeSymbol named => named.TypeArguments.Any(HasErrors),
        _ => false,
    };

    PropertySpec? Unsupported(IPropertySymbol symbol, string reason)
    {
        // A type that does not exist is the compiler's to report.
        if (!HasErrors(symbol.Type))
            diagnostics.Report(Diagnostics.PropertyType, symbol, symbol.ContainingType.Name, symbol.Name, reason);
        return null;
    }
}

/// <summary>
/// Where a property is: what its path, in C# and in the store, starts with, and the derived class that it belongs to, if not all entities
/// have it.
/// </summary>
sealed record Place(string Prefix, string StoredPrefix, string? DerivedType)
{
    public static readonly Place Root = new("", "", null);

    /// <summary>True if it is an object in a list or dictionary.</summary>
    public bool IsInList => Prefix.Contains("[].");
}
