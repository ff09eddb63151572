using Microsoft.CodeAnalysis;

namespace Datacake.Data.Analyzers;

/// <summary>The mapper of properties, by their types, their attributes, and their configuration in <c>OnModelCreating</c>.</summary>
/// <param name="configuration">The configuration of the entity class in <c>OnModelCreating</c>.</param>
/// <param name="entityTypes">The classes that have keyspaces of their own.</param>
/// <param name="converters">Finds the converters of properties.</param>
/// <param name="isSerial">True if the class is serial, so that properties can be numbered.</param>
/// <param name="diagnostics">Receives the errors.</param>
sealed class PropertyMapper(
    EntityConfiguration configuration, IReadOnlyList<ITypeSymbol> entityTypes, ConverterReader converters, bool isSerial, DiagnosticBag diagnostics)
{
    readonly HashSet<string> _ignored = [];
    /// <summary>The value of <c>DatabaseGeneratedOption.Identity</c>.</summary>
    const int Identity = 1;

    readonly Dictionary<string, ObjectSpec> _objects = [];

    /// <summary>Gets the paths of the properties that <c>OnModelCreating</c> ignores.</summary>
    public IReadOnlyCollection<string> Ignored => _ignored;

    /// <summary>Gets the classes whose objects are stored as one value.</summary>
    public IEnumerable<ObjectSpec> Objects => _objects.Values;

    /// <summary>Returns the properties of a class that are stored.</summary>
    public IEnumerable<IPropertySymbol> PropertiesOf(INamedTypeSymbol owner, string prefix = "")
    {
        foreach (var symbol in Members.PropertiesOf(owner).Where(symbol => !IsIgnored(prefix + symbol.Name) && !configuration.Navigations.Contains(symbol)
            && !configuration.Conventions.Any(convention => convention.IsIgnored && convention.Covers(symbol.Type))))
        {
            if (Members.HiderOf(symbol, owner) is { } hider)
                Unsupported(symbol, $"'{hider.Name}' has a member of the same name, which hides it. Rename one of them.");
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

    /// <summary>Returns the mapping of a property; null if an error was reported.</summary>
    /// <param name="symbol">The property.</param>
    /// <param name="place">The place of the property.</param>
    /// <param name="path">The classes on the path to the property. An owned object cannot be of one of them.</param>
    public PropertySpec? Map(IPropertySymbol symbol, Place place, List<INamedTypeSymbol> path)
    {
        var type = symbol.Type;
        var configured = Configured(place.Prefix + symbol.Name);
        if (configured?.IsCounter == true || symbol.Find(Names.Data + "CounterAttribute") is not null)
        {
            if (type.SpecialType is SpecialType.System_Int32 or SpecialType.System_Int64 && Members.SetterOf(symbol) != SetterKind.None)
                return MapCounter(symbol, place, configured);
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
        // If an interface exposes a set or dictionary, the field is filled.
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

    PropertySpec? MapCounter(IPropertySymbol symbol, Place place, PropertyConfiguration? configured)
    {
        var attribute = symbol.Find(Names.Data + "CounterAttribute");
        bool isConfigured = configured is { IsCounter: true, Minimum: not null } or { IsCounter: true, Maximum: not null };
        long? minimum = isConfigured ? configured!.Minimum : BoundOf("Minimum"), maximum = isConfigured ? configured!.Maximum : BoundOf("Maximum");
        string? problem = (minimum ?? maximum) is null ? null
            : minimum > maximum ? $"Its minimum {minimum} is greater than its maximum {maximum}."
            : symbol.Type.SpecialType == SpecialType.System_Int32 && (minimum ?? 0) is < int.MinValue or > int.MaxValue ? $"Its minimum {minimum} is not an int. Make the property a long."
            : symbol.Type.SpecialType == SpecialType.System_Int32 && (maximum ?? 0) is < int.MinValue or > int.MaxValue ? $"Its maximum {maximum} is not an int. Make the property a long."
            : place.Prefix.Length > 0 ? "It is in an owned object, which may be created and removed apart from the entity. Move it to the entity, or remove its bounds."
            : null;
        if (problem is not null)
        {
            diagnostics.Report(Diagnostics.CounterBounds, symbol, symbol.ContainingType.Name, symbol.Name, problem);
            return null;
        }
        return Describe(symbol, place, MappingKind.Counter) with { Minimum = minimum, Maximum = maximum };

        long? BoundOf(string name) => attribute?.NamedArguments.FirstOrDefault(named => named.Key == name).Value.Value as long?;
    }

    PropertySpec? MapSet(IPropertySymbol symbol, Place place, INamedTypeSymbol type, CollectionSpec collection)
    {
        if (TypeMapping.Scalar(type.TypeArguments[0]) is not { } element)
            return Unsupported(symbol, "The elements of a set must be single values, such as strings, numbers or dates.");
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
            return Unsupported(symbol, "The keys of a dictionary must be single values, and its values must be single values, objects or lists.");
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
                isCollection ? $"'{symbol.Type.ToDisplayString()}' is a collection that is not supported. The README lists the supported collections."
                : $"The type '{symbol.Type.ToDisplayString()}' is not supported, and the property has no [Converter<...>]. The README lists the supported types.");
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
            return Unsupported(symbol, $"'{owned.Name}' has no properties that can be stored. A [Converter<...>] can store it as one value.");
        if (Constructors.Find(owned, children) is { } constructor)
            return property with { Constructor = constructor, Children = new(children) };
        diagnostics.Report(Diagnostics.NoConstructor, owned, owned.Name);
        return null;
    }

    /// <summary>
    /// Returns the codec of objects in lists and dictionaries, and of structs; null if the type is neither, or if an error was reported.
    /// </summary>
    CodecSpec? MapObject(IPropertySymbol symbol, ITypeSymbol item, Place place, List<INamedTypeSymbol> path)
    {
        if (!IsOwnable(item) || !CanOwn(symbol, (INamedTypeSymbol)item, path))
            return null;
        var owned = (INamedTypeSymbol)item;
        // Codecs of a generic class whose arguments differ in nullability have different validation rules.
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
            Unsupported(symbol, $"The field '{lost.Name}' of '{owned.Name}' would be lost, because only properties are stored. A [Converter<...>] can store '{owned.Name}' as one value.");
        else if (children.Count == 0)
            Unsupported(symbol, $"'{owned.Name}' has no properties that can be stored. A [Converter<...>] can store it as one value.");
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
                Unsupported(child, $"It is in the list, dictionary or struct '{symbol.Name}', where properties must be single values, objects or lists.");
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

    /// <summary>Returns true if objects of a class can be stored within another object; otherwise reports the error.</summary>
    bool CanOwn(IPropertySymbol symbol, INamedTypeSymbol owned, List<INamedTypeSymbol> path)
    {
        if (entityTypes.Contains(owned, SymbolEqualityComparer.Default))
            Unsupported(symbol, $"'{owned.Name}' is an entity class with a keyspace of its own. Store its key instead, or a set of keys.");
        else if (Members.LineageOf(owned).FirstOrDefault(type => entityTypes.Contains(type, SymbolEqualityComparer.Default)) is { } entity)
            Unsupported(symbol, $"'{owned.Name}' is stored among the entities of '{entity.Name}'. Refer to '{entity.Name}' instead.");
        else if (!Members.IsAccessible(owned))
            Unsupported(symbol, $"'{owned.Name}' is private or protected, so generated code cannot use it. Make it internal or public.");
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
            // A property with a setter that can be used directly needs no accessor.
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
            IsOfStruct = symbol.ContainingType.IsValueType,
            IsSealed = symbol.Type.IsSealed,
            IsObsolete = Members.IsObsolete(symbol),
            Collection = collection,
            IsRequired = configured?.IsRequired ?? isRequired,
            MaxLength = configured?.MaxLength ?? LengthOf(symbol, "MaxLengthAttribute") ?? LengthOf(symbol, "StringLengthAttribute")
                ?? configuration.Conventions.LastOrDefault(convention => convention.MaxLength is not null && convention.Covers(symbol.Type))?.MaxLength,
            IsNumbered = isSerial && kind != MappingKind.Key && (configured?.IsGenerated ?? GenerationOf(symbol) == Identity),
            IsExpiry = configured?.IsExpiry == true || symbol.Find(Names.Data + "ExpiresAttribute") is not null,
            IsConcurrencyToken = configured?.IsConcurrencyToken ?? (symbol.Find(Names.Annotations + "ConcurrencyCheckAttribute") is not null),
        };
    }

    static int? GenerationOf(IPropertySymbol symbol) =>
        symbol.Find(Names.Annotations + "Schema.DatabaseGeneratedAttribute")?.ConstructorArguments.FirstOrDefault().Value as int?;

    /// <summary>Reports attributes that have an effect in Entity Framework, but none here.</summary>
    void CheckAttributes(IPropertySymbol symbol, Place place, MappingKind kind)
    {
        if (symbol.Find(Names.Annotations + "TimestampAttribute") is not null)
            Report("Timestamp", "No database generates version numbers of entities. Put [ConcurrencyCheck] on a property that you set with each change.");
        if (kind != MappingKind.Key && GenerationOf(symbol) is { } option and > 0 && !(isSerial && option == Identity))
            Report("DatabaseGenerated", "Values are only generated for keys, and as numbers without gaps in serial classes (Identity). Give the property an initializer, or set it in a handler of SavingChanges.");
        if (place.IsInList && symbol.Find(Names.Annotations + "ConcurrencyCheckAttribute") is not null)
            Report("ConcurrencyCheck", "The object is part of a list or dictionary. Put the attribute on the list or dictionary.");

        void Report(string attribute, string text) =>
            diagnostics.Report(Diagnostics.AttributeWithoutEffect, symbol, symbol.ContainingType.Name, symbol.Name, attribute, text);
    }

    string StoredName(IPropertySymbol symbol, PropertyConfiguration? configured)
    {
        string name = configured?.FormerName
            ?? symbol.Find(Names.Data + "FormerNameAttribute")?.ConstructorArguments.FirstOrDefault().Value as string
            ?? symbol.Find(Names.Annotations + "Schema.ColumnAttribute")?.ConstructorArguments.FirstOrDefault().Value as string
            ?? symbol.Name;
        string? problem = name.Length == 0 ? "The name is empty."
            : name.Contains('.') || name[0] == '$' ? "The name contains a dot or starts with a dollar sign, which is reserved for names that nodes generate."
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
        // The compiler reports a type that does not exist.
        if (!HasErrors(symbol.Type))
            diagnostics.Report(Diagnostics.PropertyType, symbol, symbol.ContainingType.Name, symbol.Name, reason);
        return null;
    }
}

/// <summary>
/// The place of a property: the start of its path, in C# and in the store, and the derived class that has the property, if not all entities
/// have it.
/// </summary>
sealed record Place(string Prefix, string StoredPrefix, string? DerivedType)
{
    public static readonly Place Root = new("", "", null);

    /// <summary>True if the property belongs to an object in a list or dictionary.</summary>
    public bool IsInList => Prefix.Contains("[].");
}
