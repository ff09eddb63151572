namespace Datacake.Rpc;

/// <summary>The reasons for which a call or a stream fails. The numbers are part of the wire format.</summary>
public enum RpcStatus
{
    /// <summary>A service that the server does not have, or no longer has.</summary>
    UnknownService = 1,

    /// <summary>A message that the service does not handle.</summary>
    UnknownMessage = 2,

    /// <summary>A deadline that has passed. The server may or may not have done the work.</summary>
    Timeout = 3,

    /// <summary>A failure to connect, or a lost connection. The server may or may not have done the work.</summary>
    Connection = 4,

    /// <summary>A payload or frame that the receiver cannot read.</summary>
    InvalidPayload = 5,

    /// <summary>A failed handler. The message of the exception describes the failure, and the server's log has the details.</summary>
    Internal = 6,

    /// <summary>A limit that was exceeded, such as message size, calls in flight, connections or buffered bytes.</summary>
    LimitExceeded = 7,

    /// <summary>
    /// A failure to authenticate: one side has not proved that it knows the cluster secret, its certificate was refused, or only one side
    /// uses TLS.
    /// </summary>
    Unauthenticated = 8,

    /// <summary>A cancellation by the other side or by the local application.</summary>
    Canceled = 9,

    /// <summary>A server that is shutting down and accepts no new calls. The work was not done.</summary>
    ShuttingDown = 10,
}
