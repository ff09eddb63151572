using System.Diagnostics.CodeAnalysis;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;

namespace Datacake.Rpc.Handshake;

/// <summary>
/// The TLS layer between the transport and the handshake of the protocol. A refused certificate does not abort the TLS handshake. Instead,
/// the refusing side sends the reason in place of its greeting, so that the other side can log the reason too. Nothing else is sent or
/// processed on such a connection.
/// </summary>
[SuppressMessage("Security", "CA5359", Justification = "The verdict is enforced after the TLS handshake, to report the reason.")]
sealed class TlsHandshake : IDisposable
{
    readonly RpcTls _options;
    readonly TimeProvider _timeProvider;
    readonly ILogger _logger;
    readonly ITimer _timer;

    public TlsHandshake(RpcTls options, TimeProvider timeProvider, ILogger logger)
    {
        (_options, _timeProvider, _logger) = (options, timeProvider, logger);
        options.Store.Refresh(timeProvider, logger);
        _timer = timeProvider.CreateTimer(_ => options.Store.Refresh(timeProvider, logger), null, options.ReloadInterval, options.ReloadInterval);
    }

    public void Dispose() => _timer.Dispose();

    /// <summary>
    /// Performs the TLS handshake on the answering side. If the result contains a refusal, the caller must send it to the client in answer
    /// to its greeting.
    /// </summary>
    /// <exception cref="RpcException">The client does not use TLS and has been told so, or TLS failed.</exception>
    public async ValueTask<TlsConnection> AcceptAsync(Stream transport, CancellationToken cancellationToken)
    {
        var credentials = _options.Store.GetCredentials(_timeProvider, _logger);
        var verdict = new Verdict("client", _options);
        var first = new FirstReadStream(transport, HandshakeProtocol.MaxStepSize);
        var tls = new SslStream(first, leaveInnerStreamOpen: true);
        try
        {
            await tls.AuthenticateAsServerAsync(
                new SslServerAuthenticationOptions
                {
                    ServerCertificateContext = credentials.Certificate,
                    ClientCertificateRequired = _options.RequireClientCertificate,
                    CertificateChainPolicy = NewPolicy(credentials),
                    RemoteCertificateValidationCallback = verdict.Decide,
                    AllowTlsResume = false,
                },
                cancellationToken).ConfigureAwait(false);
            return new TlsConnection(tls, verdict.Refusal, FirstEnd(credentials.Certificate, verdict.Ends));
        }
        catch (AuthenticationException error)
        {
            await tls.DisposeAsync().ConfigureAwait(false);
            if (!HandshakeProtocol.IsGreeting(first.FirstRead))
                throw new RpcException(RpcStatus.Unauthenticated, $"TLS with the client failed: {Describe(error)}", error);
            var refusal = new RpcException(
                RpcStatus.Unauthenticated, "this server requires TLS, but the client does not use it. Set Tls in the options of the client.");
            await HandshakeProtocol.RefuseAsync(transport, refusal, cancellationToken).ConfigureAwait(false);
            throw refusal;
        }
        catch
        {
            await tls.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Performs the TLS handshake on the calling side.</summary>
    /// <exception cref="RpcException">The server does not use TLS, its certificate is refused, or TLS failed.</exception>
    public async ValueTask<TlsConnection> ConnectAsync(Stream transport, string address, CancellationToken cancellationToken)
    {
        var credentials = _options.Store.GetCredentials(_timeProvider, _logger);
        var name = _options.ServerName ?? HostOf(address);
        var verdict = new Verdict("server", _options, name);
        var first = new FirstReadStream(transport, HandshakeProtocol.MaxStepSize);
        var tls = new SslStream(first, leaveInnerStreamOpen: true);
        try
        {
            await tls.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = name,
                    ClientCertificateContext = credentials.Certificate,
                    CertificateChainPolicy = NewPolicy(credentials),
                    RemoteCertificateValidationCallback = verdict.Decide,
                    AllowTlsResume = false,
                },
                cancellationToken).ConfigureAwait(false);
            if (verdict.Refusal is null)
            {
                var shown = tls.LocalCertificate is null ? null : credentials.Certificate;
                return new TlsConnection(tls, null, FirstEnd(shown, verdict.Ends));
            }

            await HandshakeProtocol.RefuseServerAsync(tls, verdict.Refusal, cancellationToken).ConfigureAwait(false);
            throw verdict.Refusal;
        }
        catch (Exception error)
        {
            await tls.DisposeAsync().ConfigureAwait(false);
            if (error is not (AuthenticationException or IOException))
                throw;
            // A server that refuses all connections may have closed before it received the hello. Its refusal can still be read.
            if (first.FirstRead.Length == 0)
                _ = await first.ReadAsync(new byte[HandshakeProtocol.MaxStepSize], cancellationToken).ConfigureAwait(false);
            if (HandshakeProtocol.ReadRefusal(first.FirstRead) is { } refusal)
                throw refusal;
            if (error is IOException)
                throw;
            throw new RpcException(RpcStatus.Unauthenticated, $"TLS with the server failed: {Describe(error)}", error);
        }
    }

    static string Describe(Exception error) => error.InnerException is { } inner ? $"{error.Message} {inner.Message}" : error.Message;

    static string HostOf(string address)
    {
        var colon = address.LastIndexOf(':');
        return (colon < 0 ? address : address[..colon]).Trim('[', ']');
    }

    // A certificate that has already expired, but was accepted by the Validate callback, does not end the connection.
    DateTimeOffset? FirstEnd(SslStreamCertificateContext? own, IReadOnlyList<DateTimeOffset> otherEnds)
    {
        var ownEnds = own is null ? [] : own.IntermediateCertificates.Append(own.TargetCertificate).Select(OwnCertificate.EndOf);
        var now = _timeProvider.GetUtcNow();
        return ownEnds.Concat(otherEnds).Where(end => end > now).Select(end => (DateTimeOffset?)end).Min();
    }

    X509ChainPolicy NewPolicy(TlsCredentials credentials)
    {
        var policy = new X509ChainPolicy
        {
            RevocationMode = _options.Revocation,
            RevocationFlag = X509RevocationFlag.ExcludeRoot,
            VerificationTime = _timeProvider.GetUtcNow().LocalDateTime,
            VerificationTimeIgnored = false,
        };
        if (credentials.TrustedIssuers is { } issuers)
        {
            policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            policy.CustomTrustStore.AddRange(issuers);
        }

        return policy;
    }

    /// <summary>The verdict on the other side's certificate, with its reason.</summary>
    sealed class Verdict(string peer, RpcTls options, string? name = null)
    {
        /// <summary>
        /// Gets the reason for a refusal, or null if the certificate is accepted. A required certificate is refused unless it has been
        /// checked.
        /// </summary>
        public RpcException? Refusal { get; private set; } = name is null && !options.RequireClientCertificate
            ? null
            : new RpcException(RpcStatus.Unauthenticated, $"the {peer}'s certificate was not checked.");

        /// <summary>Gets the expiry of the other side's certificate and of its issuers.</summary>
        public IReadOnlyList<DateTimeOffset> Ends { get; private set; } = [];

        /// <summary>
        /// Records the verdict, and always returns true so that the TLS handshake continues. The caller enforces the verdict afterwards.
        /// </summary>
        public bool Decide(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
        {
            Ends = chain is null ? [] : [.. chain.ChainElements.Select(element => OwnCertificate.EndOf(element.Certificate))];
            Refusal = Judge(certificate as X509Certificate2, chain, errors) is { } reason
                ? new RpcException(RpcStatus.Unauthenticated, reason)
                : null;
            return true;
        }

        string? Judge(X509Certificate2? certificate, X509Chain? chain, SslPolicyErrors errors)
        {
            if (certificate is null || chain is null)
            {
                return name is null && !options.RequireClientCertificate
                    ? null
                    : $"this side requires a certificate, but the {peer} presented none. Set Certificate in its Tls options.";
            }

            if (options.Validate is not { } validate)
                return errors == SslPolicyErrors.None ? null : Describe(certificate, chain, errors);
            try
            {
                return validate(certificate, chain, errors) ? null : $"{Name(certificate)} was refused by the Validate callback.";
            }
            catch (Exception error)
            {
                return $"{Name(certificate)} could not be checked, because the Validate callback failed: {error.Message}";
            }
        }

        string Name(X509Certificate2 certificate) => $"the {peer}'s certificate '{certificate.Subject}'";

        string Describe(X509Certificate2 certificate, X509Chain chain, SslPolicyErrors errors)
        {
            var faults = chain.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, static (all, status) => all | status.Status);
            if ((faults & X509ChainStatusFlags.NotTimeValid) != 0)
            {
                var (begin, end) = (certificate.NotBefore.ToUniversalTime(), certificate.NotAfter.ToUniversalTime());
                return $"{Name(certificate)} or that of an issuer has expired or is not valid yet. "
                    + $"The certificate is valid from {begin:u} to {end:u}.";
            }

            if ((faults & (X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain)) != 0)
                return $"{Name(certificate)} was issued by '{certificate.Issuer}', which this side does not trust (TrustedIssuers).";
            if ((errors & SslPolicyErrors.RemoteCertificateNameMismatch) != 0)
                return $"{Name(certificate)} is not for the name '{name}' (ServerName).";
            var details = chain.ChainStatus.Select(status => status.StatusInformation.Trim());
            return $"{Name(certificate)} is not valid: {string.Join(" ", details)}";
        }
    }
}
