using Microsoft.CodeAnalysis;

namespace Datacake.Data.Analyzers;

/// <summary>The reader of the indexes of an entity class, from attributes and <c>OnModelCreating</c>.</summary>
/// <param name="entity">The entity class.</param>
/// <param name="derivedTypes">The derived classes that entities can be of, and the classes between these and the entity class.</param>
/// <param name="configuration">The configuration of the class in <c>OnModelCreating</c>.</param>
/// <param name="properties">All mapped properties.</param>
/// <param name="isSerial">True if the class is serial, so that an index can be unique.</param>
/// <param name="diagnostics">Receives the errors.</param>
sealed class IndexReader(
    INamedTypeSymbol entity,
    IReadOnlyList<INamedTypeSymbol> derivedTypes,
    EntityConfiguration configuration,
    IReadOnlyList<PropertySpec> properties,
    bool isSerial,
    DiagnosticBag diagnostics)
{
    readonly List<IndexSpec> _indexes = [];

    /// <summary>Returns the indexes that are valid.</summary>
    /// <param name="symbols">The properties of the entity class.</param>
    /// <param name="ofDerived">The properties of the derived classes.</param>
    public IReadOnlyList<IndexSpec> Read(IReadOnlyList<IPropertySymbol> symbols, IReadOnlyList<IPropertySymbol> ofDerived)
    {
        CollectFromProperties([.. symbols, .. ofDerived], "");
        foreach (var type in Members.LineageOf(entity))
            CollectFromClass(type, derivedType: null);
        foreach (var type in derivedTypes)
            CollectFromClass(type, type);
        foreach (var index in configuration.Indexes)
        {
            var descending = index.Descending is { Count: 0 } ? [.. index.Properties.Select(_ => true)] : index.Descending;
            Add(index.Location, index.Class, index.Properties, index.Name, descending, index.IsUnique);
        }
        foreach (var foreignKey in configuration.ForeignKeys)
            CollectFromForeignKey(foreignKey);
        return _indexes;
    }

    /// <summary>Adds the index of a foreign key, unless another index or the key starts with it.</summary>
    void CollectFromForeignKey(IReadOnlyList<string> names)
    {
        var key = properties.Where(property => property.Kind == MappingKind.Key).Select(property => property.Path);
        var starts = _indexes.Select(index => index.Properties.AsEnumerable()).Append(key);
        if (!starts.Any(start => names.All(start.Take(names.Count).Contains)) && names.All(name => ProblemOf(name, names.Count) is null))
            Add(place: null, derivedType: null, names, name: null, descending: null, isUnique: false);
    }

    void CollectFromProperties(IEnumerable<IPropertySymbol> symbols, string prefix)
    {
        foreach (var symbol in symbols)
        {
            string path = prefix + symbol.Name;
            foreach (var attribute in symbol.FindAll(Names.Data + "IndexAttribute"))
                Add(LocationOf(symbol), derivedType: null, attribute.ConstructorArguments.Length == 0 ? [path] : [], attribute);
            if (properties.Any(property => property.Path == path && property.Kind == MappingKind.Owned))
                CollectFromProperties(Members.PropertiesOf((INamedTypeSymbol)symbol.Type), path + ".");
        }
    }

    void CollectFromClass(INamedTypeSymbol type, INamedTypeSymbol? derivedType)
    {
        foreach (var attribute in type.FindAll(Names.Data + "IndexAttribute"))
        {
            var names = attribute.ConstructorArguments.SelectMany(argument => argument.Kind == TypedConstantKind.Array
                ? argument.Values.Select(value => value.Value as string ?? "")
                : [argument.Value as string ?? ""]).ToList();
            Add(LocationOf(type), derivedType, names, attribute);
        }
    }

    void Add(Location? place, INamedTypeSymbol? derivedType, IReadOnlyList<string> names, AttributeData attribute)
    {
        TypedConstant Named(string argument) => attribute.NamedArguments.FirstOrDefault(named => named.Key == argument).Value;
        IReadOnlyList<bool>? descending = Named("AllDescending").Value is true
            ? [.. names.Select(_ => true)]
            : Named("IsDescending") is { Kind: TypedConstantKind.Array, IsNull: false } flags
                ? [.. flags.Values.Select(flag => flag.Value is true)]
                : null;
        Add(place, derivedType, names, Named("Name").Value as string, descending, Named("IsUnique").Value is true);
    }

    void Add(
        Location? place, INamedTypeSymbol? derivedType, IReadOnlyList<string> names, string? name, IReadOnlyList<bool>? descending, bool isUnique)
    {
        name ??= string.Join("_", names);
        descending ??= [.. names.Select(_ => false)];
        string? problem = names.Count == 0 ? "An index on a class must name its properties, and an index on a property must name none." : null;
        problem ??= _indexes.Exists(index => index.Name == name) ? "There is another index of that name. Set the Name of one of them." : null;
        problem ??= names.Distinct().Count() < names.Count ? "It names a property twice." : null;
        problem ??= descending.Count != names.Count
            ? $"It has {names.Count} propert{(names.Count == 1 ? "y" : "ies")}, but IsDescending has {descending.Count} value{(descending.Count == 1 ? "" : "s")}." : null;
        foreach (string path in names)
            problem ??= ProblemOf(path, names.Count);
        var keys = properties.Where(property => property.Kind == MappingKind.Key).Select(property => property.Path).ToList();
        if (names.Count <= keys.Count && names.SequenceEqual(keys.Take(names.Count)) && descending.Distinct().Count() == 1)
            problem ??= "The key starts with the same properties, so entities are found and ordered by them without an index.";
        var classes = ClassesOf(names, derivedType);
        string? narrowest = Narrowest(classes);
        if (narrowest is null && classes.Count > 0)
            problem ??= $"No entity has all its properties, because they belong to {string.Join(" and ", classes.Select(type => $"'{NameOf(type)}'"))}.";
        string? notUnique = !isUnique ? null
            : !isSerial ? $"The entities of '{entity.Name}' merge, so that two nodes may add the same value at the same time. Make the class serial ([Serial] or IsSerial()), or make the property the key."
            : properties.Any(property => names.Contains(property.Path) && property.Kind == MappingKind.Set) ? "An index of a set has several values for each entity. Store the values as entities of their own, with the value as the key."
            : null;
        if (problem is null && notUnique is not null)
            diagnostics.Report(Diagnostics.UniqueIndex, place, (derivedType ?? entity).Name, name, notUnique);
        else if (problem is null)
            _indexes.Add(new IndexSpec(name, new(names), new(descending)) { DerivedType = narrowest, IsUnique = isUnique });
        else
            diagnostics.Report(Diagnostics.IndexProperty, place, (derivedType ?? entity).Name, name, problem);
    }

    /// <summary>Returns the derived classes that an entity must be of to have the properties.</summary>
    List<string> ClassesOf(IReadOnlyList<string> names, INamedTypeSymbol? declaredOn)
    {
        var classes = properties.Where(property => names.Contains(property.Path)).Select(property => property.DerivedType);
        if (declaredOn is not null && derivedTypes.Contains(declaredOn, SymbolEqualityComparer.Default))
            classes = classes.Append(TypeMapping.Bare(declaredOn));
        return [.. classes.OfType<string>().Distinct()];
    }

    /// <summary>Returns the one of several classes that is, or derives from, all of them; null if there is none.</summary>
    string? Narrowest(List<string> classes) => derivedTypes
        .Where(type => classes.Contains(TypeMapping.Bare(type)))
        .Where(type => classes.TrueForAll(Members.LineageOf(type).Select(TypeMapping.Bare).Contains))
        .Select(TypeMapping.Bare)
        .FirstOrDefault();

    string NameOf(string type) => derivedTypes.First(known => TypeMapping.Bare(known) == type).Name;

    string? ProblemOf(string path, int count) => properties.FirstOrDefault(candidate => candidate.Path == path) switch
    {
        null => $"There is no mapped property '{path}'.",
        { Kind: MappingKind.Counter } => $"'{path}' is a counter, whose value is the sum of several cells.",
        { Kind: MappingKind.Set } when count > 1 => $"'{path}' is a set, and a set can only be indexed alone.",
        { OrderedCodec: null } => $"'{path}' is not a single value or a set of single values.",
        _ => null,
    };

    static Location? LocationOf(ISymbol symbol) => symbol.Locations.FirstOrDefault(location => location.IsInSource);
}
