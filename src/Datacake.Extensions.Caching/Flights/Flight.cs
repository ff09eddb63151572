using System.Diagnostics.CodeAnalysis;
using Datacake.EventualConsistency;
using Datacake.Extensions.Caching.Records;
using Microsoft.Extensions.Caching.Hybrid;

namespace Datacake.Extensions.Caching.Flights;

/// <summary>The production of a value that several callers wait for, so that one factory runs for all of them.</summary>
/// <param name="document">The document of the entry.</param>
/// <param name="flags">The flags of the calls.</param>
/// <param name="tags">The tags of the entry.</param>
/// <param name="isInFactory">True if the callers are in a factory that runs under a lease.</param>
[SuppressMessage("Design", "CA1001", Justification = "A token source without a timer or a parent holds nothing that needs disposing.")]
abstract class Flight(DocumentKey document, HybridCacheEntryFlags flags, DocumentKey[]? tags, bool isInFactory)
{
    readonly TaskCompletionSource _arrival = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly CancellationTokenSource _abandoned = new();

    public DocumentKey Document => document;

    public HybridCacheEntryFlags Flags => flags;

    public DocumentKey[]? Tags => tags;

    /// <summary>Gets whether the callers are in a factory that runs under a lease. Such a flight waits for no lease, and others do not join it.</summary>
    public bool IsInFactory => isInFactory;

    /// <summary>Gets the token that is canceled when no caller waits any longer.</summary>
    public CancellationToken Abandoned => _abandoned.Token;

    /// <summary>Gets the task that completes when another node has set the entry.</summary>
    public Task Arrival => _arrival.Task;

    /// <summary>Gets or sets the number of callers that wait. Only the table of flights uses it.</summary>
    public int Waiting { get; set; }

    /// <summary>Gets or sets the changes that were known when the factory began; null before that. Only the table of flights uses it.</summary>
    public Knowledge? Known { get; set; }

    /// <summary>Gets or sets whether the entry was changed or invalidated since the factory began, so that no further caller may join. Only the table of flights uses it.</summary>
    public bool IsDetached { get; set; }

    public void OnArrival() => _arrival.TrySetResult();

    /// <summary>Cancels the token, on another thread, because the factory's functions for that may take long or throw.</summary>
    public async Task AbandonAsync()
    {
        try
        {
            await _abandoned.CancelAsync().ConfigureAwait(false);
        }
        catch (AggregateException)
        {
            // Nobody waits for the factory any longer, so nobody learns of its errors.
        }
    }
}
