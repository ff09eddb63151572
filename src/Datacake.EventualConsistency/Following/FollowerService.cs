using System.Collections.Concurrent;
using Datacake.EventualConsistency.Diagnostics;
using Datacake.EventualConsistency.Hosts;
using Datacake.EventualConsistency.Links;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Rpc;

namespace Datacake.EventualConsistency.Following;

/// <summary>The service of a member for its followers: the stream of changes.</summary>
sealed class FollowerService(SessionContext context, FollowerPresence presence) : RpcService
{
    public const string FollowMessage = "follow";

    /// <summary>The maximum number of different sets of keyspaces that followers may ask for at a time. Each set costs the member the reading of its changes.</summary>
    const int MaxFeeds = 64;

    /// <summary>The time within which a follower must send its request.</summary>
    static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(5);

    readonly Lock _lock = new();
    readonly Dictionary<string, (FollowerFeed Feed, int Followers)> _feeds = new(StringComparer.Ordinal);       // replaced under the lock
    readonly ConcurrentDictionary<RpcStream, Task> _sessions = new();
    volatile FollowerFeed[] _running = [];

    public override string Name => NameFor(context.Host);

    /// <summary>Gets the number of followers that are connected.</summary>
    public int Count => _sessions.Count;

    /// <summary>Returns the addresses of followers that are connected.</summary>
    public IReadOnlyList<string> List(int count) => [.. _sessions.Keys.Take(count).Select(static stream => stream.RemoteAddress).Order(StringComparer.Ordinal)];

    /// <summary>Returns the name of the service for a store.</summary>
    public static string NameFor(StoreHost host) => host.IsNamed ? $"following/{host.Name}" : "following";

    /// <summary>Notes that the store has changed.</summary>
    public void OnCommitted(ReplicaBatch batch)
    {
        if (batch.State.Known.Equals(batch.Before.Known) && batch.State.Truncated.Equals(batch.Before.Truncated))
            return;
        foreach (var feed in _running)
            feed.OnCommitted();
    }

    /// <summary>Waits until all sessions have ended. The context's token must be canceled before.</summary>
    public Task StopAsync() => Task.WhenAll(_sessions.Values);

    protected override void Register(RpcHandlers handlers) => handlers.HandleStream(FollowMessage, async (stream, cancellationToken) =>
    {
        var session = ServeAsync(stream, cancellationToken);
        _sessions.TryAdd(stream, session);
        await session.ConfigureAwait(false);
        _sessions.TryRemove(stream, out _);
    });

    async Task ServeAsync(RpcStream stream, CancellationToken cancellationToken)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(context.Stopping, cancellationToken);
        try
        {
            var request = await ReadRequestAsync(stream, over.Token).ConfigureAwait(false);
            var closed = WaitForEndAsync(stream, over);
            try
            {
                await ServeAsync(stream, request, over.Token).ConfigureAwait(false);
                // If the stream were closed at once, the last message might be lost.
                await stream.CompleteAsync(over.Token).ConfigureAwait(false);
                await closed.WaitAsync(SessionRunner.GoodbyeTimeout, context.Node.TimeProvider, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            finally
            {
                await over.CancelAsync().ConfigureAwait(false);
                await closed.ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is RpcException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
        {
            // The follower is gone, or the store is closing.
        }
        catch (Exception e)
        {
            StoreLog.FollowerFailed(context.Logger, e, context.Node.Id, stream.RemoteAddress);
        }
    }

    async ValueTask ServeAsync(RpcStream stream, FollowRequest request, CancellationToken cancellationToken)
    {
        string key = string.Join('\n', request.Keyspaces);
        if (Refuse(request) is { } refusal)
        {
            await stream.WriteAsync(refusal.Encoded, cancellationToken).ConfigureAwait(false);
        }
        else if (TakeFeed(key, request.Keyspaces) is not { } feed)
        {
            var full = new Refusal(RefusalKind.Other, $"followers ask node {context.Node.Id} for more than {MaxFeeds} different sets of keyspaces; use fewer sets");
            await stream.WriteAsync(full.Encoded, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            try
            {
                await new FollowerSession(context, feed, presence, stream).RunAsync(request, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                ReturnFeed(key);
            }
        }
    }

    async ValueTask<FollowRequest> ReadRequestAsync(RpcStream stream, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(RequestTimeout, context.Node.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        var assembler = new MessageAssembler();
        while (await stream.ReadAsync(either.Token).ConfigureAwait(false) is { } payload)
        {
            using (payload)
            {
                assembler.Take(payload.Memory, out var message);
                if (!message.IsEmpty)
                    return ReplicaMessage.Decode(message) as FollowRequest ?? throw new InvalidDataException("The first message of a follower is not a request.");
            }
        }
        throw new RpcException(RpcStatus.Connection, "The follower ended the stream before its request.");
    }

    /// <summary>Returns the reason why a follower cannot be served, or null.</summary>
    Refusal? Refuse(FollowRequest request)
    {
        var replica = context.Replica;
        byte node = replica.Node;
        if (replica.Protocol.With(request.Protocol) is null)
            return new Refusal(RefusalKind.Version, $"node {node} speaks {replica.Protocol} of the replication protocol, and the follower speaks {request.Protocol}; update the older one");
        if (request.ClusterId != context.Node.ClusterId)
            return new Refusal(RefusalKind.OtherCluster, $"node {node} belongs to the cluster '{context.Node.ClusterId}', and the follower means to follow '{request.ClusterId}'; correct one of them");
        if (request.Cluster != 0 && request.Cluster != replica.Identity.Cluster && replica.IsJoined)
        {
            return new Refusal(RefusalKind.OtherCluster,
                $"the copy of the follower is from another cluster than that of node {node}, although both are named '{request.ClusterId}'; correct the address, or remove the files of the follower");
        }
        return FollowerSession.CanServe(context) ? null : new Refusal(RefusalKind.Other, $"node {node} cannot serve followers at present: {Describe()}");

        string Describe() => !replica.IsJoined ? $"its {context.Host.Noun} has not joined its cluster yet"
            : replica.Exclusion is { } exclusion ? $"its {context.Host.Noun} is no longer part of its cluster: {exclusion.Reason}" : "records of its storage are damaged and not repaired yet";
    }

    FollowerFeed? TakeFeed(string key, IReadOnlyList<string> keyspaces)
    {
        lock (_lock)
        {
            bool exists = _feeds.TryGetValue(key, out var entry);
            if (!exists && _feeds.Count == MaxFeeds)
                return null;
            var feed = exists ? entry.Feed : new FollowerFeed(context, keyspaces.Count == 0 ? null : keyspaces.ToHashSet(StringComparer.Ordinal));
            _feeds[key] = (feed, entry.Followers + 1);
            _running = [.. _feeds.Values.Select(static entry => entry.Feed)];
            return feed;
        }
    }

    void ReturnFeed(string key)
    {
        lock (_lock)
        {
            var (feed, followers) = _feeds[key];
            if (followers > 1)
                _feeds[key] = (feed, followers - 1);
            else if (_feeds.Remove(key))
                feed.Dispose();
            _running = [.. _feeds.Values.Select(static entry => entry.Feed)];
        }
    }

    /// <summary>Ends the session when the follower closes the stream. A follower sends nothing after its request.</summary>
    static async Task WaitForEndAsync(RpcStream stream, CancellationTokenSource over)
    {
        try
        {
            while (await stream.ReadAsync(over.Token).ConfigureAwait(false) is { } payload)
                payload.Dispose();
        }
        catch (Exception e) when (e is RpcException or OperationCanceledException or ObjectDisposedException)
        {
            // The session is over either way.
        }
        finally
        {
            await over.CancelAsync().ConfigureAwait(false);
        }
    }
}
