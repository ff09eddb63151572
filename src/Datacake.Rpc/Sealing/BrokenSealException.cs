namespace Datacake.Rpc.Sealing;

/// <summary>
/// The exception that is thrown when a record differs from the one that the other side has sealed. The connection then ends as if it had
/// been cut.
/// </summary>
sealed class BrokenSealException(Exception? inner = null)
    : IOException("the received bytes differ from those that were sent. Somebody in between changes the traffic.", inner);
