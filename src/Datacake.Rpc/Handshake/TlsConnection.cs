using System.Net.Security;

namespace Datacake.Rpc.Handshake;

/// <summary>A connection past its TLS handshake.</summary>
/// <param name="Stream">What both sides say.</param>
/// <param name="Refusal">Why this side refuses the other's certificate; null: it does not.</param>
/// <param name="Expires">When the first certificate of both sides' chains expires, if any does.</param>
readonly record struct TlsConnection(SslStream Stream, RpcException? Refusal, DateTimeOffset? Expires);
