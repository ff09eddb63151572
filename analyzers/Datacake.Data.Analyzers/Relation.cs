using Microsoft.CodeAnalysis;

namespace Datacake.Data.Analyzers;

/// <summary>A relation between two entity classes, while it is being determined.</summary>
/// <param name="dependent">The class with the foreign key.</param>
/// <param name="principal">The class that the foreign key refers to.</param>
/// <param name="location">The location of its declaration.</param>
sealed class Relation(INamedTypeSymbol dependent, INamedTypeSymbol principal, Location? location)
{
    public INamedTypeSymbol Dependent { get; } = dependent;

    public INamedTypeSymbol Principal { get; } = principal;

    public Location? Location { get; } = location;

    public Navigation? Reference { get; set; }

    public Navigation? Inverse { get; set; }

    public List<IPropertySymbol>? ForeignKey { get; set; }

    public bool IsUnique { get; set; }

    public bool? IsRequired { get; set; }

    public string? DeleteBehavior { get; set; }

    public bool IsValid { get; set; }

    public RelationSpec ToSpec()
    {
        // The most derived class that declares one of the properties has all of them.
        var owner = ForeignKey!.Select(property => property.ContainingType).OrderBy(type => Members.LineageOf(type).Count()).Last();
        bool isDerived = !Members.LineageOf(Dependent).Contains(owner, SymbolEqualityComparer.Default);
        return new RelationSpec(
            TypeMapping.Bare(Dependent), TypeMapping.Bare(Principal),
            new(ForeignKey!.Select(property => new ForeignKeySpec(property.Name, property.Type.ToDisplayString(Names.WithNullability), Members.IsObsolete(property)))),
            Reference?.ToSpec(), Inverse?.ToSpec(), IsRequired == true, IsUnique, DeleteBehavior!, isDerived ? TypeMapping.Bare(owner) : null);
    }
}

/// <summary>A navigation property, which has one or several related entities.</summary>
/// <param name="Symbol">The property.</param>
/// <param name="Owner">The entity class that has the property, or from which the class with the property derives.</param>
/// <param name="Target">The class of the related entities.</param>
/// <param name="NewCollection">
/// The expression that creates an empty collection for the property; null if the property has one entity.
/// </param>
sealed record Navigation(IPropertySymbol Symbol, INamedTypeSymbol Owner, INamedTypeSymbol Target, string? NewCollection)
{
    public bool IsCollection => NewCollection is not null;

    public NavigationSpec ToSpec()
    {
        var field = NavigationReader.FieldOf(Symbol);
        var property = new PropertySpec(
            Symbol.Name, Symbol.Name, Symbol.Name, Symbol.Type.ToDisplayString(Names.WithNullability),
            AccessSpec.Of(Symbol.ContainingType, [field?.OriginalDefinition.Type ?? Symbol.OriginalDefinition.Type]) with { IsAssumed = Members.IsHidden(Symbol) },
            MappingKind.Value, field is null ? Members.SetterOf(Symbol) : SetterKind.Field)
        {
            Field = field?.Name ?? $"<{Symbol.Name}>k__BackingField",
            FieldType = field is null ? null : TypeMapping.Bare(field.Type),
            HiddenField = Members.IsHidden(Symbol) ? HiddenFields.Of(Symbol) : null,
            DerivedType = Members.LineageOf(Owner).Contains(Symbol.ContainingType, SymbolEqualityComparer.Default) ? null : TypeMapping.Bare(Symbol.ContainingType),
            BareType = TypeMapping.Bare(Symbol.Type),
            IsNullable = true,
            IsReference = true,
            IsObsolete = Members.IsObsolete(Symbol),
        };
        return new NavigationSpec(property, TypeMapping.Bare(Target), NewCollection, field is not null);
    }
}
