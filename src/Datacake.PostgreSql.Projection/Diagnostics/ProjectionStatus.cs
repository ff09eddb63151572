namespace Datacake.PostgreSql.Projection;

/// <summary>The status of a projected table, as the node sees it that was asked. Only the node that keeps the table knows the lag.</summary>
public sealed record ProjectionStatus
{
    /// <summary>Gets the name of the keyspace.</summary>
    public required string Keyspace { get; init; }

    /// <summary>Gets the schema and the name of the table.</summary>
    public required string Table { get; init; }

    /// <summary>Gets the state of the table on this node.</summary>
    public required ProjectionState State { get; init; }

    /// <summary>
    /// Gets the age of the last applied transaction when it was committed to the table; zero once there is nothing left to apply. After a failure, it is the time since the table was last
    /// kept. Null if this node has not kept the table yet.
    /// </summary>
    public TimeSpan? Lag { get; init; }

    /// <summary>Gets the number of rows that this node has written to the table, loads included.</summary>
    public long RowsWritten { get; init; }

    /// <summary>Gets the number of times that this node has loaded all entities.</summary>
    public long Loads { get; init; }

    /// <summary>Gets the last failure; null if there was none since the node has last kept the table.</summary>
    public Exception? LastError { get; init; }
}
