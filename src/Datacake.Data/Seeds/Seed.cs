using Datacake.Data.Cells;
using Datacake.EventualConsistency;

namespace Datacake.Data.Seeds;

/// <summary>An entity that a new cluster starts with.</summary>
/// <param name="Keyspace">The keyspace.</param>
/// <param name="Key">The key.</param>
/// <param name="Content">The content.</param>
/// <param name="IsSerial">True if the class of the entity is serial.</param>
sealed record Seed(string Keyspace, DocumentKey Key, EntityContent Content, bool IsSerial)
{
    /// <summary>Gets the properties that get the next numbers when the entity is added.</summary>
    public IReadOnlyList<SeedNumber> Numbers { get; init; } = [];
}
