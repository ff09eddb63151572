using Datacake.EventualConsistency;
using Microsoft.Extensions.Caching.Hybrid;

namespace Datacake.Extensions.Caching.Flights;

/// <summary>The production of a value of one type.</summary>
/// <param name="document">The document of the entry.</param>
/// <param name="flags">The flags of the calls.</param>
/// <param name="tags">The tags of the entry.</param>
/// <param name="isInFactory">True if the callers are in a factory that runs under a lease.</param>
sealed class Flight<T>(DocumentKey document, HybridCacheEntryFlags flags, DocumentKey[]? tags, bool isInFactory) : Flight(document, flags, tags, isInFactory)
{
    readonly TaskCompletionSource<ProducedValue<T>> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<ProducedValue<T>> Result => _result.Task;

    public void Complete(ProducedValue<T> value) => _result.TrySetResult(value);

    public void Fail(Exception exception)
    {
        _result.TrySetException(exception);
        // The callers may all have left.
        _ = _result.Task.Exception;
    }
}
