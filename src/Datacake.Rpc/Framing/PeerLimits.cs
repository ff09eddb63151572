namespace Datacake.Rpc.Framing;

/// <summary>The limits of the other side, as stated in its handshake.</summary>
readonly record struct PeerLimits(int MessageSize, int CallsInFlight, int StreamWindow, int HeaderSize);
