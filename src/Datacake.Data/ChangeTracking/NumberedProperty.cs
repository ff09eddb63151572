namespace Datacake.Data.ChangeTracking;

/// <summary>A property of an entity that gets a number when it is saved.</summary>
/// <param name="Property">The property: of the key, a foreign key, or any other one.</param>
/// <param name="Number">The index of the number among those of the save.</param>
readonly record struct NumberedProperty(PropertyModel Property, int Number);
