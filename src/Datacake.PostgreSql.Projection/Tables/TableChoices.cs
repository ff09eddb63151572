namespace Datacake.PostgreSql.Projection.Tables;

/// <summary>The choices of an application for the table of a keyspace.</summary>
sealed class TableChoices
{
    public string? Name { get; set; }

    /// <summary>Gets the names of columns, by the paths of properties.</summary>
    public Dictionary<string, string> Columns { get; } = [];

    /// <summary>Gets the paths of the properties that have no column.</summary>
    public HashSet<string> Ignored { get; } = [];

    public bool AreEnumsIntegers { get; set; }

    public bool AreOwnedColumns { get; set; }

    public bool AreCollectionsTables { get; set; }
}
