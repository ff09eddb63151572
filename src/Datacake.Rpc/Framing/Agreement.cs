namespace Datacake.Rpc.Framing;

/// <summary>The result of a handshake: the version and capabilities that both sides support, and the limits of the peer.</summary>
/// <param name="Version">The version of the protocol: the lower of the two sides' highest versions.</param>
/// <param name="Capabilities">The capabilities that both sides have.</param>
/// <param name="Peer">The limits of the other side.</param>
sealed record Agreement(byte Version, Capabilities Capabilities, PeerLimits Peer);
