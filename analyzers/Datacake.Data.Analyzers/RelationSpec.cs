namespace Datacake.Data.Analyzers;

/// <summary>A relation between two entity classes.</summary>
/// <param name="Dependent">The class that has the foreign key.</param>
/// <param name="Principal">The class that it refers to.</param>
/// <param name="ForeignKey">The properties of the foreign key, in the order of the key.</param>
/// <param name="Reference">The property of the dependent class that has the principal entity; null if there is none.</param>
/// <param name="Inverse">The property of the principal class that leads back; null if there is none.</param>
/// <param name="IsRequired">True if a dependent entity cannot be without the other one.</param>
/// <param name="IsUnique">True if at most one entity refers to each.</param>
/// <param name="DeleteBehavior">What becomes of dependent entities when the one that they refer to is deleted.</param>
/// <param name="DerivedType">The class derived from the dependent one that has the foreign key; null if it is that itself.</param>
sealed record RelationSpec(
    string Dependent, string Principal, EquatableArray<ForeignKeySpec> ForeignKey, NavigationSpec? Reference, NavigationSpec? Inverse,
    bool IsRequired, bool IsUnique, string DeleteBehavior, string? DerivedType);

/// <summary>A property of a foreign key.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its type.</param>
/// <param name="IsObsolete">True if only obsolete code can use it.</param>
sealed record ForeignKeySpec(string Name, string Type, bool IsObsolete);

/// <summary>A property that has one or several related entities.</summary>
/// <param name="Property">The property.</param>
/// <param name="Target">The class of the related entities.</param>
/// <param name="NewCollection">What creates an empty collection for it; null if it has one entity.</param>
/// <param name="IsShown">True if it shows what a field of another name or type has.</param>
sealed record NavigationSpec(PropertySpec Property, string Target, string? NewCollection, bool IsShown);
