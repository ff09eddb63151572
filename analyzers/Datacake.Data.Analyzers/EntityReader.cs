using System.Globalization;
using Microsoft.CodeAnalysis;

namespace Datacake.Data.Analyzers;

/// <summary>
/// The reader of the spec of an entity class, from its symbols and its configuration in <c>OnModelCreating</c>. It also reports the errors
/// of the class.
/// </summary>
/// <param name="type">The entity class.</param>
/// <param name="entityTypes">All classes that have keyspaces in the context.</param>
/// <param name="context">The context.</param>
/// <param name="configuration">The configuration of the class in <c>OnModelCreating</c>; null if there is none.</param>
/// <param name="diagnostics">Receives the errors.</param>
sealed class EntityReader(
    ITypeSymbol type,
    IReadOnlyList<ITypeSymbol> entityTypes,
    INamedTypeSymbol context,
    EntityConfiguration? configuration,
    DiagnosticBag diagnostics)
{
    const string SerialAttribute = Names.Data + "SerialAttribute";

    readonly EntityConfiguration _configuration = configuration ?? EntityConfiguration.None;

    public EntitySpec? Read()
    {
        var hierarchy = new HierarchyReader(type, entityTypes, _configuration, diagnostics);
        if (hierarchy.Read() is not { } classes)
            return null;
        var entity = (INamedTypeSymbol)type;
        var converters = new ConverterReader(TypeMapping.Bare(context), _configuration.Conventions, diagnostics);
        var mapper = new PropertyMapper(_configuration, entityTypes, converters, IsSerial, diagnostics);
        var symbols = mapper.PropertiesOf(entity).ToList();
        var keys = FindKey(entity, symbols);
        var properties = keys.Select(mapper.MapKey).OfType<PropertySpec>().ToList();
        if (keys.Count == 0 && diagnostics.IsEmpty)
            diagnostics.Report(Diagnostics.NoKey, type, type.Name);
        if (!diagnostics.IsEmpty)
            return null;

        var path = new List<INamedTypeSymbol> { entity };
        properties.AddRange(symbols
            .Where(symbol => !keys.Contains(symbol, SymbolEqualityComparer.Default))
            .Select(symbol => mapper.Map(symbol, Place.Root, path))
            .OfType<PropertySpec>());
        var ofDerived = hierarchy.DerivedProperties(symbols, mapper);
        properties.AddRange(ofDerived
            .Select(symbol => mapper.Map(symbol, Place.Root with { DerivedType = TypeMapping.Bare(symbol.ContainingType) }, path))
            .OfType<PropertySpec>());

        var specs = ReadClasses(classes, properties);
        var all = properties.SelectMany(property => property.WithDescendants()).ToList();
        CheckStoredNames(all);
        CheckConfiguration(all, mapper.Ignored, hierarchy.DerivedTypes);
        CheckSerial(all, hierarchy.DerivedTypes);
        CheckNumbers(all);
        CheckExpiry(all);
        var indexes = new IndexReader(entity, hierarchy.DerivedTypes, _configuration, all, IsSerial, diagnostics).Read(symbols, ofDerived);
        string? keyGenerator = KeyGenerator(keys, properties);
        if (keyGenerator == EntitySpec.NumberedKey)
            properties[0] = properties[0] with { IsNumbered = true };
        if (!diagnostics.IsEmpty)
            return null;
        return new EntitySpec(
            entity.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat),
            Names.FullName(entity),
            Names.Identifier(entity) + "Model" + (configuration is null ? "" : "_of_" + Names.Identifier(context)),
            DeleteWins,
            new(specs),
            new(properties),
            new(indexes))
        {
            KeyGenerator = keyGenerator,
            HasDiscriminator = hierarchy.HasDiscriminator,
            Objects = new(mapper.Objects),
            IsSerial = IsSerial,
            ExpiresAfter = ExpiresAfter(out _),
        };
    }

    bool IsSerial => _configuration.IsSerial || FindInherited(SerialAttribute) is not null;

    bool DeleteWins => _configuration.DeleteWins || FindInherited(Names.Data + "DeleteWinsAttribute") is not null;

    /// <summary>Returns the attribute of the class or, as the indexes of a class are inherited, of its nearest base class that has it.</summary>
    AttributeData? FindInherited(string attribute) =>
        type is INamedTypeSymbol named ? Members.LineageOf(named).Select(ancestor => ancestor.Find(attribute)).FirstOrDefault(static found => found is not null) : null;

    /// <summary>Reports what only merging entities can have.</summary>
    void CheckSerial(List<PropertySpec> all, IReadOnlyList<INamedTypeSymbol> derivedTypes)
    {
        if (!IsSerial)
        {
            foreach (var derived in derivedTypes.Where(known => known.Find(SerialAttribute) is not null))
                diagnostics.Report(Diagnostics.Serial, derived, derived.Name, $"its entities are stored among those of '{type.Name}', which is not. Put [Serial] on '{type.Name}'.");
            return;
        }
        if (DeleteWins)
            diagnostics.Report(Diagnostics.Serial, type, type.Name, "[DeleteWins] is about concurrent writes, of which a serial class has none. Remove it.");
        foreach (var counter in all.Where(property => property.Kind == MappingKind.Counter))
        {
            diagnostics.Report(
                Diagnostics.Serial, type, type.Name,
                $"the counter '{counter.Path}' merges additions of several nodes. Remove [Counter]: a save of a serial entity that has changed meanwhile fails, so that no addition is lost.");
        }
    }

    /// <summary>Returns the time after which entities expire, in ticks; null if they do not, or if the time is not valid.</summary>
    long? ExpiresAfter(out string? text)
    {
        text = _configuration.ExpiresAfter ?? FindInherited(Names.Data + "ExpiresAfterAttribute")?.ConstructorArguments.FirstOrDefault().Value as string;
        return text is not null && TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var time) && time > TimeSpan.Zero ? time.Ticks : null;
    }

    /// <summary>Reports expiries that cannot be.</summary>
    void CheckExpiry(List<PropertySpec> all)
    {
        var expiries = all.FindAll(static property => property.IsExpiry);
        bool hasTime = ExpiresAfter(out string? text) is not null;
        string? problem = text is not null && !hasTime ? $"'{text}' is not a time. Write it as a TimeSpan greater than zero, such as \"00:20:00\" for 20 minutes or \"30.00:00:00\" for 30 days."
            : text is null && expiries.Count == 0 ? null
            : IsSerial ? "Serial entities do not expire: whether they are there would depend on the clock of each node. Delete them when they are no longer needed."
            : expiries.Count > 1 ? $"The properties '{expiries[0].Path}' and '{expiries[1].Path}' both say when. Keep one of them."
            : null;
        foreach (var property in expiries)
        {
            problem ??= property.BareType.TrimEnd('?') != "global::System.DateTimeOffset" || property.Kind != MappingKind.Value || property.Converter is not null
                ? $"The property '{property.Path}' is not a DateTimeOffset without a converter, so that the instant would not be certain. Change its type."
                : property.Path != property.Name || property.DerivedType is not null ? $"Only a property that all entities of the class have can say when. Move '{property.Path}' to the entity class."
                : all.Find(static other => other.Kind == MappingKind.Counter) is { } counter
                    ? $"A save that changes '{property.Path}' writes the whole entity anew, and additions of other nodes to the counter '{counter.Path}' would be lost. Use [ExpiresAfter], or remove [Counter]."
                : null;
        }
        if (problem is not null)
            diagnostics.Report(Diagnostics.Expiry, type, type.Name, problem);
    }

    /// <summary>Reports properties that cannot get the next number when an entity is saved.</summary>
    void CheckNumbers(List<PropertySpec> all)
    {
        foreach (var property in all.Where(static property => property.IsNumbered))
        {
            string? problem = property.BareType is not ("int" or "long") || property.Kind != MappingKind.Value || property.Converter is not null ? "Numbers are of type int or long, without a converter."
                : property.Path != property.Name || property.DerivedType is not null ? "Only a property that all entities of the class have can be numbered. Move it to the entity class."
                : property.Setter == SetterKind.None ? "The property cannot be set. Add a setter, which may be private."
                : null;
            if (problem is not null)
                diagnostics.Report(Diagnostics.Number, type, type.Name, property.Path, problem);
        }
    }

    List<IPropertySymbol> FindKey(INamedTypeSymbol entity, List<IPropertySymbol> properties)
    {
        if (_configuration.Key is { } named)
        {
            foreach (string missing in named.Where(name => properties.TrueForAll(property => property.Name != name)))
            {
                diagnostics.Report(
                    Diagnostics.Configuration, _configuration.Location, $"The key names '{missing}', which is not a mapped property of '{type.Name}'.");
            }
        }
        return KeyOf(entity, _configuration.Key, properties);
    }

    /// <summary>Returns the properties of the key of an entity class, in the order of the key; none if the class has no key.</summary>
    public static List<IPropertySymbol> KeyOf(INamedTypeSymbol entity, IReadOnlyList<string>? named, List<IPropertySymbol> properties)
    {
        if (named is not null)
            return [.. named.SelectMany(name => properties.Where(property => property.Name == name))];
        var marked = properties.Where(property => property.Find(Names.Annotations + "KeyAttribute") is not null).ToList();
        if (marked.Count > 0)
            return [.. marked.OrderBy(ColumnOrder)];
        var byConvention = properties.Find(property => string.Equals(property.Name, "Id", StringComparison.OrdinalIgnoreCase))
            ?? properties.Find(property => string.Equals(property.Name, entity.Name + "Id", StringComparison.OrdinalIgnoreCase));
        return byConvention is null ? [] : [byConvention];
    }

    static int ColumnOrder(IPropertySymbol property) =>
        property.Find(Names.Annotations + "Schema.ColumnAttribute")?.NamedArguments
            .FirstOrDefault(argument => argument.Key == "Order").Value.Value as int? ?? 0;

    List<ClassSpec> ReadClasses(IReadOnlyList<DerivedConfiguration> classes, List<PropertySpec> properties)
    {
        var specs = new List<ClassSpec>();
        foreach (var known in classes)
        {
            var members = properties
                .Where(property => property.DerivedType is null || Members.LineageOf(known.Type).Any(type => TypeMapping.Bare(type) == property.DerivedType))
                .ToList();
            if (Constructors.Find(known.Type, members) is { } constructor)
                specs.Add(new ClassSpec(TypeMapping.Bare(known.Type), known.Discriminator, constructor, new(Members.LineageOf(known.Type).Select(TypeMapping.Bare))));
            else if (diagnostics.IsEmpty)
                diagnostics.Report(Diagnostics.NoConstructor, known.Type, known.Type.Name);
        }
        return specs;
    }

    void CheckStoredNames(List<PropertySpec> all)
    {
        var names = all.Where(property => property.Kind != MappingKind.Key).GroupBy(property => property.StoredPath);
        foreach (var same in names.Where(group => group.Count() > 1))
        {
            var renamed = same.FirstOrDefault(property => property.StoredPath != property.Path) ?? same.Last();
            var other = same.First(property => property != renamed);
            diagnostics.Report(
                Diagnostics.StoredName,
                type,
                type.Name,
                renamed.Path,
                renamed.StoredPath,
                $"'{other.Path}' is also stored under this name. Give one of them another name in the store.");
        }
    }

    void CheckConfiguration(List<PropertySpec> all, IReadOnlyCollection<string> ignored, IReadOnlyList<INamedTypeSymbol> derivedTypes)
    {
        foreach (var described in _configuration.Classes.Where(known => !derivedTypes.Contains(known.Class!, SymbolEqualityComparer.Default)))
        {
            string name = described.Class!.Name;
            diagnostics.Report(
                Diagnostics.Configuration,
                described.Location,
                $"'{name}' is not stored among the entities of '{type.Name}'. Declare it with [Derived(typeof({name}))] or HasDiscriminator().HasValue<{name}>().");
        }
        foreach (var configured in _configuration.Properties)
        {
            var (path, location) = (configured.Key, configured.Value.Location);
            var property = all.Find(candidate => candidate.Path == path);
            if (property is null && !ignored.Contains(path) && diagnostics.IsEmpty)
                diagnostics.Report(Diagnostics.Configuration, location, $"There is no mapped property '{path}' in '{type.Name}'.");
            if (property is not null && property.Kind != MappingKind.Key && configured.Value.IsGenerated == true && !IsSerial)
                diagnostics.Report(Diagnostics.Configuration, location, $"'{path}' is not the key, and only keys, and numbers of serial classes, are generated.");
        }
    }

    /// <summary>
    /// Returns the name of the key generator's method that generates keys; null if there is none; <see cref="EntitySpec.NumberedKey"/> if the sequencer numbers them;
    /// or <see cref="EntitySpec.UnsetKey"/> if a key of 0, or of another default value, counts as not set.
    /// </summary>
    string? KeyGenerator(List<IPropertySymbol> keys, List<PropertySpec> properties)
    {
        foreach (var (symbol, property) in keys.Zip(properties, (symbol, property) => (symbol, property)))
        {
            bool? isAsked = _configuration.Properties.TryGetValue(symbol.Name, out var configured) ? configured.IsGenerated : null;
            var attribute = symbol.Find(Names.Annotations + "Schema.DatabaseGeneratedAttribute");
            isAsked ??= attribute?.ConstructorArguments.FirstOrDefault().Value is int option ? option != 0 : null;
            if (isAsked == false)
                continue;
            if (isAsked is null && property.Converter is not null)
            {
                // A struct with a converter represents an identifier. The default of an enum is a value like any other.
                if (keys.Count == 1 && symbol.Type is { IsValueType: true, TypeKind: not TypeKind.Enum })
                    return EntitySpec.UnsetKey;
                continue;
            }
            string stored = property.Converter?.StoredType ?? property.BareType;
            string? method = stored switch
            {
                "long" => "NextInt64",
                "ulong" => "NextUInt64",
                "global::System.Guid" => "NextGuid",
                _ => null,
            };
            bool isNumber = IsSerial && property.Converter is null && stored is "int" or "long";
            string? problem = keys.Count > 1 ? "The key has several properties."
                : method is null && !isNumber ? NotGenerated(stored, property.Converter is not null)
                : property.Setter == SetterKind.None ? "The property cannot be set."
                : null;
            if (problem is null)
                return isNumber ? EntitySpec.NumberedKey : method;
            if (isAsked == true)
                diagnostics.Report(Diagnostics.GeneratedKey, symbol, type.Name, symbol.Name, problem);
            if (isAsked is null && keys.Count == 1 && stored is "int" or "uint" or "short" or "ushort")
                return EntitySpec.UnsetKey;
        }
        return null;
    }

    string NotGenerated(string stored, bool isConverted) => $"Generated values of type '{stored}' would not be unique across nodes."
        + (stored != "int" ? "" : !IsSerial ? " In a serial class ([Serial] or IsSerial()), an int key gets the next number when it is saved." : isConverted ? " Only keys without a converter get numbers." : "");
}
