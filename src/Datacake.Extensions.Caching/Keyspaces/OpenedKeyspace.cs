using Datacake.EventualConsistency;
using Datacake.Extensions.Caching.Diagnostics;
using Datacake.Node;
using Microsoft.Extensions.Logging;

namespace Datacake.Extensions.Caching.Keyspaces;

/// <summary>A keyspace of an open store, and what a cache needs beside it.</summary>
/// <param name="Node">The node.</param>
/// <param name="Store">The store of the node.</param>
/// <param name="Documents">The keyspace.</param>
/// <param name="Logger">The logger.</param>
/// <param name="Metrics">The metrics.</param>
sealed record OpenedKeyspace(DatacakeNode Node, ReplicatedStore Store, KeyspaceHandle Documents, ILogger Logger, CacheMetrics Metrics)
{
    public DateTimeOffset Now => Node.TimeProvider.GetUtcNow();
}
