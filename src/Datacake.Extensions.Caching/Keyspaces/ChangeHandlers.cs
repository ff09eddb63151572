using Datacake.EventualConsistency;

namespace Datacake.Extensions.Caching.Keyspaces;

/// <summary>The functions that a cache has called with the changes of its keyspace, one at a time.</summary>
/// <param name="OnStart">Is called when a watch starts, or has missed changes, before those that follow. Loads what is derived from the documents.</param>
/// <param name="OnChange">Is called with each change.</param>
/// <param name="OnStop">Is called when changes are no longer seen.</param>
sealed record ChangeHandlers(Func<OpenedKeyspace, CancellationToken, ValueTask> OnStart, Action<DocumentChange> OnChange, Action OnStop);
