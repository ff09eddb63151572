namespace Datacake.Rpc;

/// <summary>Why a call or a stream failed. The numbers are part of the wire format.</summary>
public enum RpcStatus
{
    /// <summary>The server has no service of that name (any more).</summary>
    UnknownService = 1,

    /// <summary>The service does not know that message.</summary>
    UnknownMessage = 2,

    /// <summary>The deadline passed. The server may have done the work or not.</summary>
    Timeout = 3,

    /// <summary>No connection, or it was lost in the middle: the server may have done the work or not.</summary>
    Connection = 4,

    /// <summary>The payload, or a frame around it, is not what the receiver can read.</summary>
    InvalidPayload = 5,

    /// <summary>The handler failed. The message says how; the details are in the server's log.</summary>
    Internal = 6,

    /// <summary>A limit of the options was reached: message size, calls in flight, connections, buffered bytes.</summary>
    LimitExceeded = 7,

    /// <summary>
    /// One side has not proven that it knows the cluster secret, its certificate was refused, or only one of the two speaks TLS.
    /// </summary>
    Unauthenticated = 8,

    /// <summary>The other side, or the local application, gave up on it.</summary>
    Cancelled = 9,

    /// <summary>The server is shutting down and takes no new calls. The work was not done.</summary>
    ShuttingDown = 10,
}
