using Microsoft.CodeAnalysis;

namespace Datacake.Data.Analyzers;

/// <summary>What <c>OnModelCreating</c> says of an entity class.</summary>
sealed class EntityConfiguration(Location? location)
{
    public static readonly EntityConfiguration None = new(null);

    public Location? Location { get; } = location;

    public string? Keyspace { get; set; }

    public bool DeleteWins { get; set; }

    public IReadOnlyList<string>? Key { get; set; }

    public List<IndexConfiguration> Indexes { get; private set; } = [];

    /// <summary>By the path of the property.</summary>
    public Dictionary<string, PropertyConfiguration> Properties { get; private set; } = [];

    public List<DerivedConfiguration> Derived { get; } = [];

    /// <summary>Gets what is said of all properties of some types.</summary>
    public IReadOnlyList<ConventionConfiguration> Conventions { get; set; } = [];

    public List<RelationConfiguration> Relations { get; private set; } = [];

    /// <summary>The properties that are navigations, which are not stored.</summary>
    public HashSet<ISymbol> Navigations { get; } = new(SymbolEqualityComparer.Default);

    /// <summary>The foreign keys, each of one or several properties.</summary>
    public List<IReadOnlyList<string>> ForeignKeys { get; } = [];

    /// <summary>The derived class that it is of; null if it is of the entity class.</summary>
    public INamedTypeSymbol? Class { get; private set; }

    /// <summary>The derived classes that are described by themselves.</summary>
    public List<EntityConfiguration> Classes { get; } = [];

    /// <summary>The description of a derived class, whose properties and indexes are of the entity class's.</summary>
    public EntityConfiguration OfClass(INamedTypeSymbol type, Location location)
    {
        var known = Classes.Find(described => SymbolEqualityComparer.Default.Equals(described.Class, type));
        if (known is null)
            Classes.Add(known = new EntityConfiguration(location) { Class = type, Indexes = Indexes, Properties = Properties, Relations = Relations });
        return known;
    }

    public PropertyConfiguration Property(string path, Location location)
    {
        if (!Properties.TryGetValue(path, out var property))
            Properties.Add(path, property = new PropertyConfiguration(location));
        return property;
    }
}

/// <summary>What <c>OnModelCreating</c> says of a property; null where it says nothing.</summary>
sealed class PropertyConfiguration(Location location)
{
    public Location Location { get; } = location;

    public bool IsIgnored { get; set; }

    public bool? IsRequired { get; set; }

    public int? MaxLength { get; set; }

    public bool? IsConcurrencyToken { get; set; }

    public bool IsCounter { get; set; }

    public string? FormerName { get; set; }

    public bool? IsGenerated { get; set; }

    /// <summary>A converter class, or <c>string</c>.</summary>
    public ITypeSymbol? ConverterType { get; set; }

    /// <summary>A converter given as two lambdas, as a field of the context, and the type that it stores.</summary>
    public (string Field, ITypeSymbol PropertyType, ITypeSymbol StoredType)? ConverterField { get; set; }
}

/// <summary>An index that <c>OnModelCreating</c> declares. Several flags, one for each property, or none for all descending.</summary>
sealed class IndexConfiguration(Location location, INamedTypeSymbol? type, IReadOnlyList<string> properties, string? name)
{
    public Location Location { get; } = location;

    /// <summary>The derived class that it is declared on, if it is on one.</summary>
    public INamedTypeSymbol? Class { get; } = type;

    public IReadOnlyList<string> Properties { get; } = properties;

    public string? Name { get; } = name;

    public IReadOnlyList<bool>? Descending { get; set; }
}

/// <summary>A derived class that is stored in the keyspace of its entity class.</summary>
sealed record DerivedConfiguration(Location? Location, INamedTypeSymbol Type, string Discriminator);

/// <summary>Holds what <c>ConfigureConventions</c> says of all properties of a type and of those derived from it.</summary>
sealed class ConventionConfiguration(ITypeSymbol type)
{
    public bool IsIgnored { get; set; }

    public int? MaxLength { get; set; }

    /// <summary>A converter class, or <c>string</c>.</summary>
    public ITypeSymbol? ConverterType { get; set; }

    /// <summary>True if it is about properties of a type.</summary>
    public bool Covers(ITypeSymbol propertyType)
    {
        var known = TypeMapping.NullableOf(propertyType) ?? propertyType;
        for (var candidate = known; candidate is not null; candidate = candidate.BaseType)
        {
            if (SymbolEqualityComparer.Default.Equals(candidate, type))
                return true;
        }
        return known.AllInterfaces.Contains(type, SymbolEqualityComparer.Default);
    }
}
