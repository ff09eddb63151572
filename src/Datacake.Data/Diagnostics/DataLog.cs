using System.Runtime.CompilerServices;
using Datacake.Node;
using Microsoft.Extensions.Logging;

namespace Datacake.Data.Diagnostics;

/// <summary>The logger of the contexts of a node.</summary>
static class DataLog
{
    /// <summary>The category of all log lines of the ORM.</summary>
    public const string Category = "Datacake.Data.DatacakeContext";

    // Contexts come and go, and a logger factory takes a lock to find a logger.
    static readonly ConditionalWeakTable<DatacakeNode, ILogger> ByNode = [];

    public static ILogger Of(DatacakeNode node) => ByNode.GetValue(node, static node => node.LoggerFactory.CreateLogger(Category));
}
