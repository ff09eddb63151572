using Datacake.Rpc.Handshake;

namespace Datacake.Rpc.Framing;

/// <summary>What both sides of a connection have agreed on in the handshake.</summary>
/// <param name="Version">The version of the protocol: the lower one of the two that the sides speak best.</param>
/// <param name="Capabilities">What both sides can do.</param>
/// <param name="Peer">What the other side takes.</param>
sealed record Agreement(byte Version, Capabilities Capabilities, PeerLimits Peer);
