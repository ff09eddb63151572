using Datacake.Data;
using Datacake.EventualConsistency;
using Microsoft.AspNetCore.Http;

namespace Datacake.AspNetCore.ReadYourWrites;

/// <summary>Adds the saves of all contexts to the request in which they are made, if there is one.</summary>
sealed class SaveInterceptor(IHttpContextAccessor accessor) : DatacakeInterceptor
{
    public override ValueTask SavedChangesAsync(DatacakeContext context, SavedChangesEventArgs save, CancellationToken cancellationToken)
    {
        Add(save.Result.Token);
        return default;
    }

    public override ValueTask SaveChangesFailedAsync(DatacakeContext context, SaveChangesFailedEventArgs failure)
    {
        // These saves were made on this node, and only their acknowledgments are missing.
        var token = failure.Exception switch
        {
            ConsistencyException e => e.GetToken(),
            CommitCanceledException e => e.Token,
            _ => null,
        };
        if (token is { } made)
            Add(made);
        return default;
    }

    void Add(SessionToken token) => accessor.HttpContext?.Features.Get<RequestSaves>()?.Add(token);
}
