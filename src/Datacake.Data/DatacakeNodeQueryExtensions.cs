using Datacake.Data.Diagnostics;
using Datacake.Node;

namespace Datacake.Data;

/// <summary>Extension methods that observe the contexts of a node.</summary>
public static class DatacakeNodeQueryExtensions
{
    /// <summary>
    /// Calls an observer when a query of any context on the node has ended. Without observers, queries are not described and cost nothing more.
    /// </summary>
    /// <param name="node">The node.</param>
    /// <param name="observer">The observer, which is called by the query, at the same time by several ones. It should be fast and must not throw.</param>
    /// <returns>The observation, which ends when it is disposed.</returns>
    public static IDisposable ObserveQueries(this DatacakeNode node, Action<ObservedQuery> observer)
    {
        ArgumentNullException.ThrowIfNull(node);
        ArgumentNullException.ThrowIfNull(observer);
        return QueryObservers.Of(node).Add(observer);
    }
}
