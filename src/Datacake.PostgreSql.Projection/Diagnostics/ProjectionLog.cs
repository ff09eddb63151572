using Microsoft.Extensions.Logging;

namespace Datacake.PostgreSql.Projection.Diagnostics;

/// <summary>The log messages of projections. The durable consumers below log failures and takeovers.</summary>
static partial class ProjectionLog
{
    [LoggerMessage(9000, LogLevel.Information, "Node {Node} loads {Count} entities of the keyspace {Keyspace} into the table {Table}.")]
    public static partial void Loading(ILogger logger, byte node, long count, string keyspace, string table);

    [LoggerMessage(9001, LogLevel.Information, "The table {Table} has all {Rows} entities after {Seconds:0.0} s.")]
    public static partial void Loaded(ILogger logger, string table, long rows, double seconds);

    [LoggerMessage(9002, LogLevel.Information, "The table {Table} was created or has new columns ({Columns}), and is loaded.")]
    public static partial void Changed(ILogger logger, string table, string columns);

    [LoggerMessage(9003, LogLevel.Warning, "The table {Table} was kept by the cluster {Other}, and is loaded by the cluster {Cluster}; if both run, give each its own schema.")]
    public static partial void OtherCluster(ILogger logger, string table, string other, string cluster);

    [LoggerMessage(9004, LogLevel.Error, "The table {Table} is no longer kept by node {Node}.")]
    public static partial void Ended(ILogger logger, Exception failure, string table, byte node);
}
