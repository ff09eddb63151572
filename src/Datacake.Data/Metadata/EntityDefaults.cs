namespace Datacake.Data.Metadata;

/// <summary>What an entity is when the store has its key and nothing else: the values that the initializers of its class give.</summary>
/// <param name="Content">What is written of it.</param>
/// <param name="WithOwned">The same, with every owned object there.</param>
sealed record EntityDefaults(EntityContent Content, EntityContent WithOwned);
