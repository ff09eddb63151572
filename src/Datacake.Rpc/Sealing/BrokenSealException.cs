namespace Datacake.Rpc.Sealing;

/// <summary>Thrown where a record differs from the one that the other side has sealed: the connection is over, as if it had been cut.</summary>
sealed class BrokenSealException(Exception? inner = null)
    : IOException("what arrived is not what was sent: somebody in between changes the traffic", inner);
