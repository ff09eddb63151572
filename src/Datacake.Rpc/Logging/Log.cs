using Microsoft.Extensions.Logging;

namespace Datacake.Rpc.Logging;

/// <summary>The log messages. Pass reasons without their trailing full stop (see <see cref="Clause"/>).</summary>
static partial class Log
{
    [LoggerMessage(1001, LogLevel.Information, "RPC server listens at {Address}.")]
    public static partial void Listening(ILogger logger, string address);

    [LoggerMessage(1002, LogLevel.Warning, "RPC server at {Address} could not accept a connection: {Reason}.")]
    public static partial void AcceptFailed(ILogger logger, string address, string reason, Exception error);

    [LoggerMessage(1003, LogLevel.Warning, "RPC peer {Peer} was refused: {Reason}.")]
    public static partial void PeerRefused(ILogger logger, string peer, string reason);

    [LoggerMessage(1004, LogLevel.Debug, "RPC connection with {Peer} has ended: {Reason}.")]
    public static partial void ConnectionEnded(ILogger logger, string peer, string reason);

    [LoggerMessage(1005, LogLevel.Warning, "RPC connection with {Peer} was cut: {Reason}.")]
    public static partial void ConnectionCut(ILogger logger, string peer, string reason);

    [LoggerMessage(1006, LogLevel.Warning, "RPC peer {Peer} has exceeded a limit: {Reason}.")]
    public static partial void LimitExceeded(ILogger logger, string peer, string reason);

    [LoggerMessage(1007, LogLevel.Error, "RPC handler failed for a call from {Peer}.")]
    public static partial void HandlerFailed(ILogger logger, string peer, Exception error);

    [LoggerMessage(1008, LogLevel.Warning, "RPC handlers of {Count} calls from {Peer} ignore their cancellation token and are still running.")]
    public static partial void HandlersLeft(ILogger logger, string peer, int count);

    [LoggerMessage(1009, LogLevel.Information, "RPC channel to {Address} is connected.")]
    public static partial void Connected(ILogger logger, string address);

    [LoggerMessage(1010, LogLevel.Warning, "RPC channel could not connect to {Address}: {Reason}.")]
    public static partial void ConnectFailed(ILogger logger, string address, string reason);

    [LoggerMessage(1011, LogLevel.Information, "RPC channel to {Address} has lost its connection: {Reason}.")]
    public static partial void ConnectionLost(ILogger logger, string address, string reason);

    [LoggerMessage(1012, LogLevel.Debug, "RPC channel to {Address} has closed its connection: {Reason}.")]
    public static partial void ConnectionClosed(ILogger logger, string address, string reason);

    [LoggerMessage(
        1013,
        LogLevel.Warning,
        "RPC channel still has no lasting connection to {Address} after {Count} more failures in {Time}; the last reason was: {Reason}.")]
    public static partial void StillNotConnected(ILogger logger, string address, int count, TimeSpan time, string reason);

    [LoggerMessage(1014, LogLevel.Information, "RPC channel to {Address} is connected again after {Count} failures in {Time}.")]
    public static partial void ConnectedAgain(ILogger logger, string address, int count, TimeSpan time);

    [LoggerMessage(1015, LogLevel.Information, "RPC channel to {Address} has had no more failures after a total of {Count}.")]
    public static partial void NoMoreFailures(ILogger logger, string address, int count);

    [LoggerMessage(1016, LogLevel.Information, "RPC server at {Address} accepts connections again after {Count} failures in {Time}.")]
    public static partial void AcceptsAgain(ILogger logger, string address, int count, TimeSpan time);

    [LoggerMessage(EventId = 1017, Message = "RPC server at {Address}: {Event} {Count} more times in {Time}; the last event was: {Last}.")]
    public static partial void Repeated(ILogger logger, LogLevel level, string address, string @event, int count, TimeSpan time, string last);

    [LoggerMessage(1018, LogLevel.Information, "RPC server at {Address}: {Event} {Count} times in {Time}, and not since then.")]
    public static partial void RepeatedNoMore(ILogger logger, string address, string @event, int count, TimeSpan time);

    [LoggerMessage(1019, LogLevel.Information, "RPC uses the certificate '{Subject}', which is valid together with its issuers until {End:u}.")]
    public static partial void CertificateUsed(ILogger logger, string subject, DateTimeOffset end);

    [LoggerMessage(
        1020, LogLevel.Warning, "RPC certificate {Certificate} expires at {End:u} and has not been renewed; other nodes will then refuse it.")]
    public static partial void CertificateExpires(ILogger logger, string certificate, DateTimeOffset end);

    [LoggerMessage(1021, LogLevel.Error, "RPC certificate {Certificate} expired at {End:u} and is refused by other nodes; renew it.")]
    public static partial void CertificateExpired(ILogger logger, string certificate, DateTimeOffset end);

    [LoggerMessage(1022, LogLevel.Warning, "RPC keeps using the previous certificates: {Reason}.")]
    public static partial void ReloadFailed(ILogger logger, string reason);

    [LoggerMessage(1023, LogLevel.Information, "RPC certificates can be loaded again.")]
    public static partial void ReloadedAgain(ILogger logger);

    /// <summary>Returns a sentence without its full stop, for use in a message that adds its own.</summary>
    public static string Clause(string sentence) => sentence.TrimEnd('.', ' ', '\n');
}
