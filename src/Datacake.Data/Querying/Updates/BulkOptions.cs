using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Data;

/// <summary>The options of a change of many entities: <c>ExecuteUpdateAsync</c>, <c>ExecuteDeleteAsync</c>, <c>ClearAsync</c> and <c>BulkAddAsync</c>.</summary>
public sealed record BulkOptions
{
    internal static BulkOptions Default { get; } = new();

    /// <summary>Gets the consistency level; null for the default level of the context.</summary>
    public Consistency? Consistency { get; init; }

    /// <summary>
    /// True to refuse a change that one transaction cannot hold, before anything is written. Otherwise, such a change is committed in parts, of which each is one transaction.
    /// </summary>
    public bool RequireAtomic { get; init; }

    /// <summary>Gets the receiver of the progress, which is told after each part; null if there is none.</summary>
    public IProgress<BulkProgress>? Progress { get; init; }

    /// <summary>
    /// Gets the key after which the change continues, from <see cref="BulkProgress.Position"/> of one that was canceled or has failed; null to begin with the first entity. Not for <c>BulkAddAsync</c>.
    /// </summary>
    public DocumentKey? After { get; init; }
}
