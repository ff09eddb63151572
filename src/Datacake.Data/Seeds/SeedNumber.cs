namespace Datacake.Data.Seeds;

/// <summary>The next number of a sequence, which a property of a seed gets.</summary>
/// <param name="Sequence">The name of the sequence.</param>
/// <param name="Max">The greatest number that the property can hold.</param>
/// <param name="Path">The encoded path of the cell.</param>
sealed record SeedNumber(string Sequence, long Max, ReadOnlyMemory<byte> Path);
