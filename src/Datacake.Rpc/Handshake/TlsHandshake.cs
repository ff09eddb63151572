using System.Diagnostics.CodeAnalysis;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;

namespace Datacake.Rpc.Handshake;

/// <summary>
/// Puts TLS between the transport and our own handshake. A certificate that is refused does not end TLS at once: the side that refuses
/// it says so, in words, in place of its greeting, so that the log of the other side names the reason too. Nothing else is said or
/// listened to on such a connection.
/// </summary>
[SuppressMessage("Security", "CA5359", Justification = "The verdict is obeyed after TLS is up, so that the other side can be told why.")]
sealed class TlsHandshake : IDisposable
{
    readonly RpcTls _options;
    readonly TimeProvider _timeProvider;
    readonly ILogger _logger;
    readonly ITimer _timer;

    public TlsHandshake(RpcTls options, TimeProvider timeProvider, ILogger logger)
    {
        (_options, _timeProvider, _logger) = (options, timeProvider, logger);
        options.Store.Look(timeProvider, logger);
        _timer = timeProvider.CreateTimer(_ => options.Store.Look(timeProvider, logger), null, options.ReloadInterval, options.ReloadInterval);
    }

    public void Dispose() => _timer.Dispose();

    /// <summary>The answering side. The refusal, if there is one, is to be told to the client as the answer to its greeting.</summary>
    /// <exception cref="RpcException">The client does not speak TLS, and was told so; or TLS failed.</exception>
    public async ValueTask<TlsConnection> AcceptAsync(Stream transport, CancellationToken cancellationToken)
    {
        var credentials = _options.Store.Take(_timeProvider, _logger);
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
                RpcStatus.Unauthenticated, "this server speaks only TLS, and the client does not; set Tls in the options of the client");
            await HandshakeProtocol.RefuseAsync(transport, refusal, cancellationToken).ConfigureAwait(false);
            throw refusal;
        }
        catch
        {
            await tls.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>The calling side.</summary>
    /// <exception cref="RpcException">The server does not speak TLS, its certificate is refused, or TLS failed.</exception>
    public async ValueTask<TlsConnection> ConnectAsync(Stream transport, string address, CancellationToken cancellationToken)
    {
        var credentials = _options.Store.Take(_timeProvider, _logger);
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
            // A server that turns everybody away may have closed before it got our hello: what it said is still there.
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

    // A certificate that is over, and was accepted nevertheless (by a Validate callback), does not end anything.
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

    /// <summary>What was decided about the other side's certificate, and why in words.</summary>
    sealed class Verdict(string who, RpcTls options, string? name = null)
    {
        /// <summary>Null: accepted. A certificate that is needed and was never looked at is refused.</summary>
        public RpcException? Refusal { get; private set; } = name is null && !options.RequireClientCertificate
            ? null
            : new RpcException(RpcStatus.Unauthenticated, $"the {who}'s certificate was not checked");

        /// <summary>Gets the ends of the other side's certificate and of its issuers.</summary>
        public IReadOnlyList<DateTimeOffset> Ends { get; private set; } = [];

        /// <summary>Always lets TLS go on; whoever asked for the verdict obeys it then.</summary>
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
                    : $"this side asks for a certificate, and the {who} has shown none; set Certificate in its Tls options";
            }

            if (options.Validate is not { } validate)
                return errors == SslPolicyErrors.None ? null : Describe(certificate, chain, errors);
            try
            {
                return validate(certificate, chain, errors) ? null : $"{Name(certificate)} was refused by the Validate callback";
            }
            catch (Exception error)
            {
                return $"{Name(certificate)} could not be checked, since the Validate callback failed: {error.Message}";
            }
        }

        string Name(X509Certificate2 certificate) => $"the {who}'s certificate '{certificate.Subject}'";

        string Describe(X509Certificate2 certificate, X509Chain chain, SslPolicyErrors errors)
        {
            var faults = chain.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, static (all, status) => all | status.Status);
            if ((faults & X509ChainStatusFlags.NotTimeValid) != 0)
            {
                var (begin, end) = (certificate.NotBefore.ToUniversalTime(), certificate.NotAfter.ToUniversalTime());
                return $"{Name(certificate)}, or its issuer's, has expired or is not valid yet: it holds from {begin:u} to {end:u}";
            }

            if ((faults & (X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain)) != 0)
                return $"{Name(certificate)} was issued by '{certificate.Issuer}', which this side does not trust (TrustedIssuers)";
            if ((errors & SslPolicyErrors.RemoteCertificateNameMismatch) != 0)
                return $"{Name(certificate)} is not for the name '{name}' (ServerName)";
            var details = chain.ChainStatus.Select(status => status.StatusInformation.Trim());
            return $"{Name(certificate)} is not valid: {string.Join(" ", details)}";
        }
    }
}
