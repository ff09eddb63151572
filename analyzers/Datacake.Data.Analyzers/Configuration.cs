using Microsoft.CodeAnalysis;

namespace Datacake.Data.Analyzers;

/// <summary>The configuration of an entity class in <c>OnModelCreating</c>.</summary>
sealed class EntityConfiguration(Location? location)
{
    public static readonly EntityConfiguration None = new(null);

    public Location? Location { get; } = location;

    public string? Keyspace { get; set; }

    public bool DeleteWins { get; set; }

    public bool IsSerial { get; set; }

    public string? ExpiresAfter { get; set; }

    public IReadOnlyList<string>? Key { get; set; }

    public List<IndexConfiguration> Indexes { get; private set; } = [];

    /// <summary>Gets the configurations of properties, by their paths.</summary>
    public Dictionary<string, PropertyConfiguration> Properties { get; private set; } = [];

    public List<DerivedConfiguration> Derived { get; } = [];

    /// <summary>Gets the conventions for all properties of certain types.</summary>
    public IReadOnlyList<ConventionConfiguration> Conventions { get; set; } = [];

    public List<RelationConfiguration> Relations { get; private set; } = [];

    /// <summary>Gets the navigation properties, which are not stored.</summary>
    public HashSet<ISymbol> Navigations { get; } = new(SymbolEqualityComparer.Default);

    /// <summary>Gets the foreign keys, each with the names of its properties.</summary>
    public List<IReadOnlyList<string>> ForeignKeys { get; } = [];

    /// <summary>Gets the derived class that the configuration is for; null if it is for the entity class.</summary>
    public INamedTypeSymbol? Class { get; private set; }

    /// <summary>Gets the configurations of derived classes.</summary>
    public List<EntityConfiguration> Classes { get; } = [];

    /// <summary>
    /// Returns the configuration of a derived class, which shares its properties and indexes with that of the entity class.
    /// </summary>
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

/// <summary>The configuration of a property in <c>OnModelCreating</c>. A value is null if it is not configured.</summary>
sealed class PropertyConfiguration(Location location)
{
    public Location Location { get; } = location;

    public bool IsIgnored { get; set; }

    public bool? IsRequired { get; set; }

    public int? MaxLength { get; set; }

    public bool? IsConcurrencyToken { get; set; }

    public bool IsExpiry { get; set; }

    public bool IsCounter { get; set; }

    /// <summary>Gets or sets the minimum of the counter.</summary>
    public long? Minimum { get; set; }

    /// <summary>Gets or sets the maximum of the counter.</summary>
    public long? Maximum { get; set; }

    public string? FormerName { get; set; }

    public bool? IsGenerated { get; set; }

    /// <summary>Gets or sets the converter class, or <c>string</c>.</summary>
    public ITypeSymbol? ConverterType { get; set; }

    /// <summary>
    /// Gets or sets the field of the context for a converter that is given as two lambdas, and the types that it converts between.
    /// </summary>
    public (string Field, ITypeSymbol PropertyType, ITypeSymbol StoredType)? ConverterField { get; set; }
}

/// <summary>
/// An index that <c>OnModelCreating</c> declares. <see cref="Descending"/> has a flag for each property, or none if all are descending.
/// </summary>
sealed class IndexConfiguration(Location location, INamedTypeSymbol? type, IReadOnlyList<string> properties, string? name)
{
    public Location Location { get; } = location;

    /// <summary>Gets the derived class that the index is declared on; null if it is declared on the entity class.</summary>
    public INamedTypeSymbol? Class { get; } = type;

    public IReadOnlyList<string> Properties { get; } = properties;

    public string? Name { get; } = name;

    public IReadOnlyList<bool>? Descending { get; set; }

    public bool IsUnique { get; set; }
}

/// <summary>A derived class that is stored in the keyspace of its entity class.</summary>
sealed record DerivedConfiguration(Location? Location, INamedTypeSymbol Type, string Discriminator);

/// <summary>A convention in <c>ConfigureConventions</c> for all properties of a type and of types derived from it.</summary>
sealed class ConventionConfiguration(ITypeSymbol type)
{
    public bool IsIgnored { get; set; }

    public int? MaxLength { get; set; }

    /// <summary>Gets or sets the converter class, or <c>string</c>.</summary>
    public ITypeSymbol? ConverterType { get; set; }

    /// <summary>Returns true if the convention applies to properties of a type.</summary>
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
