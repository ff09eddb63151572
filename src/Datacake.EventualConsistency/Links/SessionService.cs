using System.Collections.Concurrent;
using System.Globalization;
using Datacake.EventualConsistency.Diagnostics;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Rpc;

namespace Datacake.EventualConsistency.Links;

/// <summary>The service that accepts the sessions that peers dial.</summary>
sealed class SessionService(SessionContext context, SessionRunner sessions) : RpcService
{
    public const string SessionMessage = "session";

    /// <summary>The header of a stream that names the dialed node, so that another node at its address does not take the session.</summary>
    public const string DialedHeader = "node";

    static readonly TimeSpan Reminder = TimeSpan.FromMinutes(10);

    readonly ConcurrentDictionary<RpcStream, Task> _accepted = new();
    readonly ConcurrentDictionary<string, long> _strangers = new();     // per host whose streams are refused: when that was last logged
    const int MaxStrangers = 256;

    public override string Name => context.Host.ServiceName;

    /// <summary>Waits until all accepted sessions have ended. The context's token must be canceled before.</summary>
    public Task StopAsync() => Task.WhenAll(_accepted.Values);

    protected override void Register(RpcHandlers handlers) => handlers.HandleStream(SessionMessage, async (stream, cancellationToken) =>
    {
        var session = AcceptAsync(stream, cancellationToken);
        _accepted.TryAdd(stream, session);
        await session.ConfigureAwait(false);
        _accepted.TryRemove(stream, out _);
    });

    async Task AcceptAsync(RpcStream stream, CancellationToken cancellationToken)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(context.Stopping);
        // What the peer sent before it closed the stream can still be read, and may say why.
        using var closing = cancellationToken.UnsafeRegister(static over => ((CancellationTokenSource)over!).CancelAfter(SessionRunner.GoodbyeTimeout), over);
        try
        {
            if (stream.Headers[DialedHeader] is { } dialed && dialed != context.Node.Id.ToString(CultureInfo.InvariantCulture))
            {
                var wrong = new Refusal(RefusalKind.Other, $"node {context.Node.Id} is at this address, not node {dialed}");
                await sessions.SayGoodbyeAsync(stream, wrong, over.Token).ConfigureAwait(false);
                return;
            }
            var (peer, outcome) = await sessions.RunAcceptedAsync(stream, over.Token).ConfigureAwait(false);
            if (context.Stopping.IsCancellationRequested)
                return;
            if (peer is not { } node)
                LogStranger(stream, outcome.Reason);
            else if (outcome.WasOpen)
                context.Conditions.OnEnded(node, outcome);
            else
                context.Conditions.OnFailed(node, outcome);
        }
        catch (Exception e) when (e is RpcException or OperationCanceledException or ObjectDisposedException)
        {
            // The peer is gone, or the store is closing.
        }
        catch (Exception e)
        {
            StoreLog.SessionFailed(context.Logger, e, HostOf(stream));
        }
    }

    void LogStranger(RpcStream stream, string reason)
    {
        string host = HostOf(stream);
        var time = context.Node.TimeProvider;
        bool isDue = !_strangers.TryGetValue(host, out long last) || time.GetElapsedTime(last) > Reminder;
        if (!isDue)
            return;
        if (_strangers.Count >= MaxStrangers)
            _strangers.Clear();
        _strangers[host] = time.GetTimestamp();
        StoreLog.StreamRefused(context.Logger, host, reason);
    }

    /// <summary>Returns the remote address without its port, which differs for each connection.</summary>
    static string HostOf(RpcStream stream) =>
        stream.RemoteAddress.LastIndexOf(':') is var end and > 0 ? stream.RemoteAddress[..end] : stream.RemoteAddress;
}
