using Microsoft.AspNetCore.OutputCaching;

namespace Datacake.AspNetCore.OutputCaching;

/// <summary>
/// Notes at the beginning of a request which evictions this node knows, in a tag that reaches the store with the response. A response that was begun before an eviction is so told from a later one. The
/// policy does not decide whether a request is cached.
/// </summary>
sealed class OriginPolicy(DatacakeOutputCacheStore store) : IOutputCachePolicy
{
    public ValueTask CacheRequestAsync(OutputCacheContext context, CancellationToken cancellation)
    {
        context.Tags.Add(store.OriginTag());
        return ValueTask.CompletedTask;
    }

    public ValueTask ServeFromCacheAsync(OutputCacheContext context, CancellationToken cancellation) => ValueTask.CompletedTask;

    public ValueTask ServeResponseAsync(OutputCacheContext context, CancellationToken cancellation) => ValueTask.CompletedTask;
}
