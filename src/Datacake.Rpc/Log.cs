using Microsoft.Extensions.Logging;

namespace Datacake.Rpc;

static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "RPC server listens at {Address}")]
    public static partial void Listening(ILogger logger, string address);

    [LoggerMessage(2, LogLevel.Warning, "RPC server at {Address} could not accept a connection")]
    public static partial void AcceptFailed(ILogger logger, string address, Exception error);

    [LoggerMessage(3, LogLevel.Warning, "RPC peer {Peer} was refused: {Reason}")]
    public static partial void PeerRefused(ILogger logger, string peer, string reason);

    [LoggerMessage(4, LogLevel.Debug, "RPC connection of {Peer} has ended: {Reason}")]
    public static partial void ConnectionEnded(ILogger logger, string peer, string reason);

    [LoggerMessage(5, LogLevel.Warning, "RPC connection of {Peer} was cut: {Reason}")]
    public static partial void ConnectionCut(ILogger logger, string peer, string reason);

    [LoggerMessage(6, LogLevel.Warning, "RPC peer {Peer} has reached a limit: {Reason}")]
    public static partial void LimitExceeded(ILogger logger, string peer, string reason);

    [LoggerMessage(7, LogLevel.Error, "RPC handler of a call of {Peer} failed")]
    public static partial void HandlerFailed(ILogger logger, string peer, Exception error);

    [LoggerMessage(8, LogLevel.Warning, "{Count} RPC handlers of calls of {Peer} ignore their cancellation token and still run")]
    public static partial void HandlersLeft(ILogger logger, string peer, int count);

    [LoggerMessage(9, LogLevel.Information, "RPC channel to {Address} is connected")]
    public static partial void Connected(ILogger logger, string address);

    [LoggerMessage(10, LogLevel.Warning, "RPC channel could not connect to {Address}: {Reason}")]
    public static partial void ConnectFailed(ILogger logger, string address, string reason);

    [LoggerMessage(11, LogLevel.Information, "RPC channel to {Address} has lost its connection: {Reason}")]
    public static partial void ConnectionLost(ILogger logger, string address, string reason);
}
