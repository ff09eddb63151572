using Datacake.Rpc.Framing;

namespace Datacake.Rpc.Handshake;

/// <summary>The result of a handshake.</summary>
/// <param name="Agreement">The version and capabilities that both sides have.</param>
/// <param name="Stream">The stream for all further traffic: that of the handshake, or a sealed stream around it.</param>
readonly record struct Handshaken(Agreement Agreement, Stream Stream);
