using Datacake.Rpc.Sealing;
using Microsoft.Extensions.Logging;

namespace Datacake.Rpc.Logging;

/// <summary>The log of a server. Repeated events take only a few lines, with counts.</summary>
sealed class ServerLog : IDisposable
{
    readonly ILogger _logger;
    readonly TimeProvider _timeProvider;
    readonly string _address;
    readonly RepeatedEvent _refusals;
    readonly RepeatedEvent _cuts;
    readonly RepeatedEvent _limits;
    readonly RepeatedEvent _handlerFailures;
    readonly RepeatedEvent _acceptFailures;

    public ServerLog(ILogger logger, TimeProvider timeProvider, string address)
    {
        (_logger, _timeProvider, _address) = (logger, timeProvider, address);
        _refusals = Of(LogLevel.Warning, "a peer was refused");
        _cuts = Of(LogLevel.Warning, "a connection was cut");
        _limits = Of(LogLevel.Warning, "a peer exceeded a limit");
        _handlerFailures = Of(LogLevel.Error, "a handler failed");
        _acceptFailures = Of(LogLevel.Warning, "accepting failed");
    }

    public void Listening() => Log.Listening(_logger, _address);

    public void Accepted()
    {
        if (_acceptFailures.End() is { } failures)
            Log.AcceptsAgain(_logger, _address, failures.Count, failures.Time);
    }

    public void AcceptFailed(Exception error)
    {
        if (_acceptFailures.Occurs("", error.Message))
            Log.AcceptFailed(_logger, _address, Log.Clause(error.Message), error);
    }

    public void PeerRefused(string peer, RpcStatus status, string reason)
    {
        if (_refusals.Occurs($"{HostOf(peer)} {status}", $"{peer}, {reason}"))
            Log.PeerRefused(_logger, peer, Log.Clause(reason));
    }

    public void ConnectionEnded(string peer, RpcException reason)
    {
        if (reason.Status is not (RpcStatus.InvalidPayload or RpcStatus.LimitExceeded) && reason.InnerException is not BrokenSealException)
            Log.ConnectionEnded(_logger, peer, Log.Clause(reason.Message));
        else if (_cuts.Occurs($"{HostOf(peer)} {reason.Status}", $"{peer}, {reason.Message}"))
            Log.ConnectionCut(_logger, peer, Log.Clause(reason.Message));
    }

    public void LimitExceeded(string peer, string reason)
    {
        if (_limits.Occurs(HostOf(peer), $"{peer}, {reason}"))
            Log.LimitExceeded(_logger, peer, Log.Clause(reason));
    }

    public void HandlerFailed(string peer, string handler, Exception error)
    {
        if (_handlerFailures.Occurs($"{handler} {error.GetType()}", $"{handler} with {error.GetType()} for {peer}"))
            Log.HandlerFailed(_logger, peer, error);
    }

    public void HandlersLeft(string peer, int count) => Log.HandlersLeft(_logger, peer, count);

    public void Dispose()
    {
        foreach (var repeated in (RepeatedEvent[])[_refusals, _cuts, _limits, _handlerFailures, _acceptFailures])
            repeated.Dispose();
    }

    RepeatedEvent Of(LogLevel level, string description) => new(
        _timeProvider,
        repetition => Log.Repeated(_logger, level, _address, description, repetition.Count, repetition.Time, repetition.Last),
        repetition =>
        {
            if (repetition.Count > 1)
                Log.RepeatedNoMore(_logger, _address, description, repetition.Count, repetition.Time);
        });

    // The port of a peer differs for each connection.
    static string HostOf(string peer)
    {
        var colon = peer.LastIndexOf(':');
        return colon < 0 ? peer : peer[..colon];
    }
}
