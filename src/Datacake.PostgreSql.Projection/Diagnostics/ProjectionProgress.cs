namespace Datacake.PostgreSql.Projection;

/// <summary>The progress of a load of all entities.</summary>
/// <param name="Table">The schema and the name of the table.</param>
/// <param name="Rows">The number of entities that are written. Readers see them when the load is complete.</param>
/// <param name="Total">The approximate number of all entities.</param>
/// <param name="IsComplete">True if the load is complete and committed.</param>
public readonly record struct ProjectionProgress(string Table, long Rows, long Total, bool IsComplete);
