using Datacake.Rpc.Framing;

namespace Datacake.Rpc.Client;

/// <summary>
/// A call or stream that this side has started. It is in the table of its connection, under its id, until it ends. The code that removes it
/// from the table must complete it.
/// </summary>
abstract class ClientExchange
{
    public uint Id { get; set; }

    /// <summary>Gets or sets the deadline, as a timestamp. Guarded by the connection's lock.</summary>
    public long Due { get; set; } = DeadlineTimer.Never;

    /// <summary>
    /// Processes the last frame: the reply to a call, or the notice that the handler of a stream has returned. The exchange owns the payload.
    /// </summary>
    public abstract void OnReply(PayloadBuffer reply);

    /// <summary>Fails the exchange with an error of either side.</summary>
    public abstract void Fail(Exception error);

    /// <summary>Creates the exception for a passed deadline.</summary>
    public abstract RpcException Expired(string address);
}
