using Datacake.AspNetCore.Diagnostics;
using Datacake.AspNetCore.Nodes;
using Datacake.Crdt;
using Datacake.EventualConsistency;
using Datacake.Node;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Datacake.AspNetCore.ReadYourWrites;

/// <summary>
/// Waits for the saves whose tokens a request presents, and adds those of its own saves to the response. Tokens are not trusted: all that a forged one can do is to make its own request wait.
/// </summary>
sealed class ReadYourWritesMiddleware(RequestDelegate next, DatacakeReadYourWritesOptions options, ILogger<ReadYourWritesMiddleware> logger)
{
    static readonly CancellationToken AtOnce = new(canceled: true);

    int _waiting;

    public async Task InvokeAsync(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var saves = new RequestSaves(logger, context.Request.Path);
        context.Features.Set(saves);
        string? cookie = options.Cookie?.Name is { Length: > 0 } name ? context.Request.Cookies[name] : null;
        string? header = options.HeaderName is { Length: > 0 } field && context.Request.Headers.TryGetValue(field, out var values) ? values.ToString() : null;
        var tokens = new TokenSet();
        AddParsed(tokens, cookie);
        AddParsed(tokens, header);
        bool isStale = !tokens.IsEmpty && !await ArriveAsync(context, tokens).ConfigureAwait(false);
        context.Response.OnStarting(() =>
        {
            if (saves.Take() is { } made)
                tokens.Add(made);
            Tell(context, tokens, cookie);
            return Task.CompletedTask;
        });
        if (isStale && options.OnTimeout == DatacakeReadYourWritesTimeout.Reject)
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            context.Response.Headers.RetryAfter = "1";
            context.Response.Headers.CacheControl = "no-store";
            return;
        }
        if (isStale)
            context.Response.Headers[options.StaleHeaderName] = "true";
        await next(context).ConfigureAwait(false);
    }

    void AddParsed(TokenSet tokens, string? text)
    {
        if (string.IsNullOrEmpty(text))
            return;
        if (TokenSet.TryParse(text, out var parsed))
            tokens.Add(parsed);
        else
            AspNetCoreLog.TokensMalformed(logger, text.Length);
    }

    /// <summary>Waits until this node has what the tokens stand for. Removes the tokens that are of no use any longer. Returns false if something has not arrived in time.</summary>
    async ValueTask<bool> ArriveAsync(HttpContext context, TokenSet tokens)
    {
        var node = RegisteredNode.Of(context.RequestServices, options.FindNode, "Read-your-writes");
        var store = await node.OpenStoreAsync(context.RequestAborted).ConfigureAwait(false);
        var now = node.TimeProvider.GetUtcNow();
        bool isComplete = true;
        List<HlcTimestamp> missing = [];
        foreach (var stamp in tokens.Stamps.ToArray())
        {
            if (stamp.Time > now + node.MaxClockDifference + TimeSpan.FromSeconds(1))
            {
                // No node can have made it yet.
                AspNetCoreLog.TokenFromTheFuture(logger, stamp);
                tokens.Remove(stamp);
                continue;
            }
            bool isHere = HasArrived(store.WaitForAsync(new SessionToken(stamp), AtOnce));
            if (stamp.Time < now - options.MaxAge)
            {
                tokens.Remove(stamp);
                isComplete &= isHere;
            }
            else if (!isHere)
            {
                missing.Add(stamp);
            }
        }
        if (!isComplete)
            AspNetCoreLog.SaveTooOld(logger, options.MaxAge);
        return missing.Count == 0 ? isComplete : await WaitAsync(context, node, store, missing).ConfigureAwait(false) && isComplete;
    }

    async ValueTask<bool> WaitAsync(HttpContext context, DatacakeNode node, ReplicatedStore store, List<HlcTimestamp> missing)
    {
        try
        {
            if (Interlocked.Increment(ref _waiting) > options.MaxWaiting)
            {
                AspNetCoreLog.TooManyWait(logger, options.MaxWaiting);
                return false;
            }
            using var timeout = new CancellationTokenSource(options.Timeout, node.TimeProvider);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, context.RequestAborted);
            try
            {
                // Each wait ends with the last one at the latest.
                foreach (var stamp in missing)
                    await store.WaitForAsync(new SessionToken(stamp), either.Token).ConfigureAwait(false);
                return true;
            }
            catch (OperationCanceledException) when (timeout.IsCancellationRequested && !context.RequestAborted.IsCancellationRequested)
            {
                AspNetCoreLog.SavesNotArrived(logger, options.Timeout);
                return false;
            }
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    /// <summary>Returns true if a wait that was canceled from the beginning has found that there is nothing to wait for.</summary>
    static bool HasArrived(ValueTask wait) => wait.IsCompletedSuccessfully;

    /// <summary>Tells the client the tokens. The cookie is written only if it changes, because responses with one are not cached.</summary>
    void Tell(HttpContext context, TokenSet tokens, string? presented)
    {
        string text = tokens.ToString();
        if (options.HeaderName is { Length: > 0 } header && text.Length > 0)
            context.Response.Headers[header] = text;
        if (options.Cookie is not { Name: { Length: > 0 } name } builder || text == (presented ?? ""))
            return;
        var cookie = builder.Build(context);
        cookie.Path ??= "/";
        if (text.Length == 0)
        {
            context.Response.Cookies.Delete(name, cookie);
        }
        else
        {
            cookie.MaxAge = options.MaxAge;
            context.Response.Cookies.Append(name, text, cookie);
        }
    }
}
