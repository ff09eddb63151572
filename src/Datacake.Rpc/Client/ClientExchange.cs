using Datacake.Rpc.Framing;

namespace Datacake.Rpc.Client;

/// <summary>
/// A call or stream of this side, in its connection's table under its id until it is over. Whoever takes it out of the table ends it.
/// </summary>
abstract class ClientExchange
{
    public uint Id { get; set; }

    /// <summary>A timestamp, under the connection's lock.</summary>
    public long Due { get; set; } = DeadlineTimer.Never;

    /// <summary>
    /// The last frame has arrived: a reply, or for a stream, that its handler has returned. The payload is now the exchange's.
    /// </summary>
    public abstract void OnReply(PayloadBuffer reply);

    /// <summary>It failed, here or there.</summary>
    public abstract void Fail(Exception error);

    /// <summary>The exception that a deadline fails it with.</summary>
    public abstract RpcException Expired(string address);
}
