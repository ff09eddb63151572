using Microsoft.CodeAnalysis;

namespace Datacake.Data.Analyzers;

/// <summary>A relation that <c>OnModelCreating</c> declares; null where it says nothing.</summary>
/// <param name="location">Where it says so.</param>
/// <param name="entity">The class with a keyspace that it is declared on.</param>
/// <param name="related">The other class.</param>
/// <param name="navigation">The property that has the other entity or entities.</param>
/// <param name="isCollection">True if it has several.</param>
sealed class RelationConfiguration(Location location, ITypeSymbol entity, ITypeSymbol related, string? navigation, bool isCollection)
{
    public Location Location { get; } = location;

    public ITypeSymbol Entity { get; } = entity;

    public ITypeSymbol Related { get; } = related;

    public string? Navigation { get; } = navigation;

    public bool IsCollection { get; } = isCollection;

    /// <summary>The property of the other class that leads back.</summary>
    public string? Inverse { get; set; }

    /// <summary>True if at most one entity refers to each.</summary>
    public bool IsUnique { get; set; }

    public IReadOnlyList<string>? ForeignKey { get; set; }

    /// <summary>The class that has the foreign key, where either could.</summary>
    public ITypeSymbol? Dependent { get; set; }

    public string? DeleteBehavior { get; set; }

    public bool? IsRequired { get; set; }
}
