namespace Datacake.Data.Analyzers;

/// <summary>A relation between two entity classes.</summary>
/// <param name="Dependent">The class with the foreign key.</param>
/// <param name="Principal">The class that the foreign key refers to.</param>
/// <param name="ForeignKey">The properties of the foreign key, in the order of the key.</param>
/// <param name="Reference">The navigation property of the dependent class; null if there is none.</param>
/// <param name="Inverse">The navigation property of the principal class; null if there is none.</param>
/// <param name="IsRequired">True if a dependent entity cannot exist without the other one.</param>
/// <param name="IsUnique">True if at most one entity refers to each principal entity.</param>
/// <param name="DeleteBehavior">The effect on dependent entities when the entity that they refer to is deleted.</param>
/// <param name="DerivedType">
/// The class derived from the dependent one that has the foreign key; null if the dependent class itself has it.
/// </param>
sealed record RelationSpec(
    string Dependent, string Principal, EquatableArray<ForeignKeySpec> ForeignKey, NavigationSpec? Reference, NavigationSpec? Inverse,
    bool IsRequired, bool IsUnique, string DeleteBehavior, string? DerivedType);

/// <summary>A property of a foreign key.</summary>
/// <param name="Name">The name of the property.</param>
/// <param name="Type">The type of the property.</param>
/// <param name="IsObsolete">True if only obsolete code can use the property.</param>
sealed record ForeignKeySpec(string Name, string Type, bool IsObsolete);

/// <summary>A navigation property, which has one or several related entities.</summary>
/// <param name="Property">The property.</param>
/// <param name="Target">The class of the related entities.</param>
/// <param name="NewCollection">
/// The expression that creates an empty collection for the property; null if the property has one entity.
/// </param>
/// <param name="IsShown">True if the property exposes a field of another name or type.</param>
sealed record NavigationSpec(PropertySpec Property, string Target, string? NewCollection, bool IsShown);
