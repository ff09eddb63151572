namespace Datacake.Rpc.Framing;

/// <summary>What the other side takes, as it said in the handshake.</summary>
readonly record struct PeerLimits(int MessageSize, int CallsInFlight, int StreamWindow, int HeaderSize);
