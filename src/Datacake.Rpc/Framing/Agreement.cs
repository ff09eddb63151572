using Datacake.Rpc.Handshake;

namespace Datacake.Rpc.Framing;

/// <summary>The version and capabilities that both sides of a connection agreed on in the handshake.</summary>
/// <param name="Version">The version of the protocol: the lower one of the two that the sides speak best.</param>
/// <param name="Capabilities">What both sides can do.</param>
/// <param name="Peer">What the other side takes.</param>
sealed record Agreement(byte Version, Capabilities Capabilities, PeerLimits Peer);
