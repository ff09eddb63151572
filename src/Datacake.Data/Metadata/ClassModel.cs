namespace Datacake.Data.Metadata;

/// <summary>A class that the entities of a keyspace can be of, where there are several.</summary>
/// <param name="Type">The class.</param>
/// <param name="Discriminator">What is stored for it.</param>
public sealed record ClassModel(Type Type, string Discriminator);
