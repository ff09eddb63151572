using Datacake.Rpc.Framing;

namespace Datacake.Rpc.Handshake;

/// <summary>A connection past its handshake.</summary>
/// <param name="Agreement">The version and capabilities that both sides have.</param>
/// <param name="Stream">The stream for all that follows: the one of the handshake, or what seals it.</param>
readonly record struct Handshaken(Agreement Agreement, Stream Stream);
