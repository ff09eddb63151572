namespace Datacake.Data.Querying;

/// <summary>A run of a query as text, without the values in it.</summary>
/// <param name="Shape">The query, with question marks in place of its values.</param>
/// <param name="Plan">The access path, and the steps after it.</param>
/// <param name="Remedy">The advice to make the query read less; null if it reads little in vain.</param>
readonly record struct QueryDescription(string Shape, string Plan, string? Remedy);
