namespace Datacake.Data;

/// <summary>One of the classes that the entities of a keyspace can have, if there are several.</summary>
/// <param name="Type">The class.</param>
/// <param name="Discriminator">The value stored to identify the class.</param>
public sealed record ClassModel(Type Type, string Discriminator);
