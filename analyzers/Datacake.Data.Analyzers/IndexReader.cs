using Microsoft.CodeAnalysis;

namespace Datacake.Data.Analyzers;

/// <summary>Reads the indexes of an entity class, from attributes and <c>OnModelCreating</c>.</summary>
sealed class IndexReader(
    INamedTypeSymbol entity, EntityConfiguration configuration, IReadOnlyList<PropertySpec> properties, DiagnosticBag diagnostics)
{
    readonly List<IndexSpec> _indexes = [];

    /// <param name="symbols">The properties of the entity class.</param>
    /// <param name="ofDerived">Those of the classes derived from it.</param>
    public IReadOnlyList<IndexSpec> Read(IReadOnlyList<IPropertySymbol> symbols, IReadOnlyList<IPropertySymbol> ofDerived)
    {
        CollectFromProperties([.. symbols, .. ofDerived], "");
        foreach (var attribute in entity.FindAll(Names.Data + "IndexAttribute"))
        {
            var names = attribute.ConstructorArguments.SelectMany(argument => argument.Kind == TypedConstantKind.Array
                ? argument.Values.Select(value => value.Value as string ?? "")
                : [argument.Value as string ?? ""]).ToList();
            Add(LocationOf(entity), names, attribute);
        }
        foreach (var index in configuration.Indexes)
        {
            var descending = index.Descending is { Count: 0 } ? [.. index.Properties.Select(_ => true)] : index.Descending;
            Add(index.Location, index.Properties, index.Name, descending);
        }
        return _indexes;
    }

    void CollectFromProperties(IEnumerable<IPropertySymbol> symbols, string prefix)
    {
        foreach (var symbol in symbols)
        {
            string path = prefix + symbol.Name;
            foreach (var attribute in symbol.FindAll(Names.Data + "IndexAttribute"))
                Add(LocationOf(symbol), attribute.ConstructorArguments.Length == 0 ? [path] : [], attribute);
            if (properties.Any(property => property.Path == path && property.Kind == MappingKind.Owned))
                CollectFromProperties(Members.PropertiesOf((INamedTypeSymbol)symbol.Type), path + ".");
        }
    }

    void Add(Location? place, IReadOnlyList<string> names, AttributeData attribute)
    {
        TypedConstant Named(string argument) => attribute.NamedArguments.FirstOrDefault(named => named.Key == argument).Value;
        IReadOnlyList<bool>? descending = Named("AllDescending").Value is true
            ? [.. names.Select(_ => true)]
            : Named("IsDescending") is { Kind: TypedConstantKind.Array, IsNull: false } flags
                ? [.. flags.Values.Select(flag => flag.Value is true)]
                : null;
        Add(place, names, Named("Name").Value as string, descending);
    }

    void Add(Location? place, IReadOnlyList<string> names, string? name, IReadOnlyList<bool>? descending)
    {
        name ??= string.Join("_", names);
        descending ??= [.. names.Select(_ => false)];
        string? problem = names.Count == 0 ? "name the properties on the class, and none on a property" : null;
        problem ??= _indexes.Exists(index => index.Name == name) ? "there is another one of that name; set the Name of one" : null;
        problem ??= names.Distinct().Count() < names.Count ? "it names a property twice" : null;
        problem ??= descending.Count != names.Count
            ? $"it has {names.Count} propert{(names.Count == 1 ? "y" : "ies")} and says of {descending.Count} whether they descend" : null;
        foreach (string path in names)
            problem ??= WhyNot(path, names.Count);
        if (problem is null)
            _indexes.Add(new IndexSpec(name, new(names), new(descending)));
        else
            diagnostics.Report(Diagnostics.IndexProperty, place, entity.Name, name, problem);
    }

    string? WhyNot(string path, int count) => properties.FirstOrDefault(candidate => candidate.Path == path) switch
    {
        null => $"there is no mapped property '{path}'",
        { Kind: MappingKind.Key } => $"'{path}' is of the key, by which every index orders in the end anyway",
        { Kind: MappingKind.Counter } => $"'{path}' is a counter, whose value is a sum of its cells",
        { Kind: MappingKind.Set } when count > 1 => $"'{path}' is a set, and one of several properties cannot be",
        { OrderedCodec: null } => $"'{path}' is not a single value or a set of them",
        { DerivedType: not null } => $"'{path}' is not a property of all entities; move it to '{entity.Name}'",
        _ => null,
    };

    static Location? LocationOf(ISymbol symbol) => symbol.Locations.FirstOrDefault(location => location.IsInSource);
}
