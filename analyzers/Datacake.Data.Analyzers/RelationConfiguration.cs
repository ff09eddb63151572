using Microsoft.CodeAnalysis;

namespace Datacake.Data.Analyzers;

/// <summary>A relation that <c>OnModelCreating</c> declares. A value is null if it is not configured.</summary>
/// <param name="location">The location of the declaration.</param>
/// <param name="entity">The class with a keyspace that it is declared on.</param>
/// <param name="related">The other class.</param>
/// <param name="navigation">The navigation property.</param>
/// <param name="isCollection">True if the navigation property is a collection.</param>
sealed class RelationConfiguration(Location location, ITypeSymbol entity, ITypeSymbol related, string? navigation, bool isCollection)
{
    public Location Location { get; } = location;

    public ITypeSymbol Entity { get; } = entity;

    public ITypeSymbol Related { get; } = related;

    public string? Navigation { get; } = navigation;

    public bool IsCollection { get; } = isCollection;

    /// <summary>Gets or sets the navigation property of the other class.</summary>
    public string? Inverse { get; set; }

    /// <summary>True if at most one entity refers to each entity.</summary>
    public bool IsUnique { get; set; }

    public IReadOnlyList<string>? ForeignKey { get; set; }

    /// <summary>Gets or sets the class with the foreign key, where it could be either one.</summary>
    public ITypeSymbol? Dependent { get; set; }

    public string? DeleteBehavior { get; set; }

    public bool? IsRequired { get; set; }
}
