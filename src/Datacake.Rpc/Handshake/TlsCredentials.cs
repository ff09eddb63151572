using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Datacake.Rpc.Handshake;

/// <summary>The certificates that one handshake shows and trusts.</summary>
/// <param name="Certificate">This side's certificate, ready for use, if it has one.</param>
/// <param name="TrustedIssuers">The roots of the other side's certificate; null for those of the operating system.</param>
sealed record TlsCredentials(SslStreamCertificateContext? Certificate, X509Certificate2Collection? TrustedIssuers);
