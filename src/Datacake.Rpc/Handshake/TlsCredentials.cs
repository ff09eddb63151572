using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Datacake.Rpc.Handshake;

/// <summary>The certificates that a handshake presents and trusts.</summary>
/// <param name="Certificate">This side's certificate, or null if it has none.</param>
/// <param name="TrustedIssuers">The trusted roots for the other side's certificate, or null for those of the operating system.</param>
sealed record TlsCredentials(SslStreamCertificateContext? Certificate, X509Certificate2Collection? TrustedIssuers);
