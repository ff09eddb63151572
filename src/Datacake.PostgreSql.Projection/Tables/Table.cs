using Datacake.EventualConsistency;

namespace Datacake.PostgreSql.Projection.Tables;

/// <summary>The table of a keyspace, with a row for each entity.</summary>
/// <param name="Schema">The schema.</param>
/// <param name="Name">The name of the table.</param>
/// <param name="Columns">The columns. Those of the key come first.</param>
/// <param name="KeyCount">The number of columns of the key.</param>
/// <param name="RowOf">Returns the row of an entity.</param>
/// <param name="KeyOf">Returns the values of the key's columns.</param>
/// <param name="Children">The child tables.</param>
sealed record Table(
    string Schema, string Name, IReadOnlyList<Column> Columns, int KeyCount, Func<object, object?[]> RowOf, Func<DocumentKey, object?[]> KeyOf, IReadOnlyList<ChildTable> Children)
{
    /// <summary>Gets the columns of the key.</summary>
    public IEnumerable<Column> Key => Columns.Take(KeyCount);

    /// <summary>Gets the name of the view that joins the child tables back as JSON.</summary>
    public string ViewName => $"{Name}_all";

    /// <summary>Returns a name in the schema of the table, quoted for SQL.</summary>
    public string Quote(string name) => $"{SqlName.Quote(Schema)}.{SqlName.Quote(name)}";
}

/// <summary>A table with a row for each item of a collection of the entities.</summary>
/// <param name="Name">The name of the table.</param>
/// <param name="Columns">The columns. Those with the key of the entity come first.</param>
/// <param name="Collection">The kind of the collection.</param>
/// <param name="View">The name of the collection in the view of the entities.</param>
/// <param name="RowsOf">Returns the rows of an entity, given the values of its key's columns.</param>
sealed record ChildTable(string Name, IReadOnlyList<Column> Columns, CollectionKind Collection, string View, Func<object, object?[], IEnumerable<object?[]>> RowsOf);

/// <summary>The kind of a collection.</summary>
enum CollectionKind
{
    /// <summary>Items with a position.</summary>
    List,

    /// <summary>Items without an order.</summary>
    Set,

    /// <summary>Items with a key.</summary>
    Dictionary,
}
