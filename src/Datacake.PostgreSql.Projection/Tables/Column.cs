namespace Datacake.PostgreSql.Projection.Tables;

/// <summary>A column of a table.</summary>
/// <param name="Name">The name of the column.</param>
/// <param name="Type">The type of the column.</param>
/// <param name="Source">The origin of the values, for messages, such as <c>the property Total of Order</c>.</param>
sealed record Column(string Name, ColumnType Type, string Source);
