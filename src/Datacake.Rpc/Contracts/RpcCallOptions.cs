namespace Datacake.Rpc;

/// <summary>Options of one call, which override the channel's options.</summary>
public readonly record struct RpcCallOptions
{
    /// <summary>
    /// Gets the time limit of the call, including the time to connect. Any length is allowed, and <see cref="Timeout.InfiniteTimeSpan"/>
    /// means no limit. With zero or less, the call is not sent and fails with <see cref="RpcStatus.Timeout"/>. For a stream, this limits
    /// the time until the server has accepted it. The default is <see cref="RpcChannelOptions.CallTimeout"/>.
    /// </summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>
    /// Gets whether the call waits, up to its time limit, while the channel pauses between two attempts to connect. The default is
    /// <see langword="false"/>: the call fails at once with <see cref="RpcStatus.Connection"/> and the reason of the last attempt.
    /// </summary>
    public bool WaitForConnection { get; init; }

    /// <summary>Gets the headers that are sent with the call or the opening of the stream. The default is none.</summary>
    public RpcHeaders? Headers { get; init; }
}
