namespace Datacake.Rpc;

/// <summary>What one call does otherwise than its channel's options say.</summary>
public readonly record struct RpcCallOptions
{
    /// <summary>
    /// Limits the call, connecting included. Of any length; <see cref="Timeout.InfiniteTimeSpan"/> for no limit. With zero or less, the
    /// time is over already: the call is not sent, and fails with <see cref="RpcStatus.Timeout"/>. For a stream, limits the time until
    /// the server has accepted it. Default: <see cref="RpcChannelOptions.CallTimeout"/>.
    /// </summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>
    /// While the channel waits between two attempts to connect: wait with it, up to the time limit. Default: false, which fails
    /// the call at once with <see cref="RpcStatus.Connection"/> and the reason of the last attempt.
    /// </summary>
    public bool WaitForConnection { get; init; }

    /// <summary>Small texts that travel with the call or the opening of the stream. Default: none.</summary>
    public RpcHeaders? Headers { get; init; }
}
