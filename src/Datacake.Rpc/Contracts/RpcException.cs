namespace Datacake.Rpc;

/// <summary>
/// The exception that is thrown when a call, a stream or a connection fails. <see cref="Status"/> contains the reason.
/// </summary>
public sealed class RpcException : Exception
{
    /// <summary>Initializes a new instance of the <see cref="RpcException"/> class.</summary>
    /// <param name="status">The reason for the failure. If a handler throws the exception, the caller receives this status.</param>
    /// <param name="message">A message that describes the failure and names the peer or the service.</param>
    /// <param name="innerException">The exception that caused this one, or <see langword="null"/>.</param>
    public RpcException(RpcStatus status, string message, Exception? innerException = null)
        : base(message, innerException) => Status = status;

    /// <summary>Gets the reason for the failure.</summary>
    public RpcStatus Status { get; }
}
