namespace Datacake.Rpc;

/// <summary>A call, a stream or a connection failed; <see cref="Status"/> says in which way.</summary>
public sealed class RpcException : Exception
{
    /// <summary>An error with its status and a message that names the peer and the service.</summary>
    public RpcException(RpcStatus status, string message, Exception? innerException = null)
        : base(message, innerException) => Status = status;

    /// <summary>What kind of failure it is.</summary>
    public RpcStatus Status { get; }
}
