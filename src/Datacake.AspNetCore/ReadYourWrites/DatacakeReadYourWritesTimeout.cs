namespace Datacake.AspNetCore;

/// <summary>The treatment of a request whose client's saves have not reached the node in time.</summary>
public enum DatacakeReadYourWritesTimeout
{
    /// <summary>The request is served with what the node has, and the response has the header that says so.</summary>
    ServeStale,

    /// <summary>The response is 503 Service Unavailable, with a header that tells the client to retry after a second. The handler is not called.</summary>
    Reject,
}
