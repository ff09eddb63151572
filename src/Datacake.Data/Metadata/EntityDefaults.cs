using Datacake.Data.Cells;

namespace Datacake.Data.Metadata;

/// <summary>The content of an entity of which the store has only the key, as the initializers of its class determine it.</summary>
/// <param name="Content">The content as it is written.</param>
/// <param name="WithOwned">The same content with every owned object present.</param>
sealed record EntityDefaults(EntityContent Content, EntityContent WithOwned);
