using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Datacake.Rpc.Logging;
using Microsoft.Extensions.Logging;

namespace Datacake.Rpc.Handshake;

/// <summary>
/// The certificate and the trusted issuers of one <see cref="RpcTls"/>, as they are now. Shared by all servers and channels with these
/// options. What cannot be taken over is reported, and the former one stays in use. Safe to use from several threads.
/// </summary>
sealed class CertificateStore
{
    static readonly TimeSpan PauseBetweenWarnings = TimeSpan.FromDays(1);
    static readonly TimeSpan PauseBetweenErrors = TimeSpan.FromMinutes(1);

    readonly RpcTls _options;
    readonly WatchedFiles? _certificateFiles;
    readonly WatchedFiles? _issuerFiles;
    readonly Lock _gate = new();

    // All below is under the lock.
    TlsCredentials? _current;
    OwnCertificate? _own;
    long _lookedAt;
    string? _error;
    string? _loggedThumbprints;     // of the chain that the log has named last
    string? _loggedError;
    DateTimeOffset _errorLoggedAt;
    DateTimeOffset? _warnedAt;
    bool _hasWarnedOfEnd;

    public CertificateStore(RpcTls options)
    {
        _options = options;
        if (options.CertificateFile is { } file)
            _certificateFiles = options.CertificateKeyFile is { } key ? new WatchedFiles(file, key) : new WatchedFiles(file);
        if (options.TrustedIssuersFile is { } issuers)
            _issuerFiles = new WatchedFiles(issuers);
    }

    public RpcCertificateStatus? Status
    {
        get
        {
            lock (_gate)
            {
                return _own is null ? null : new RpcCertificateStatus(_own, _error);
            }
        }
    }

    /// <summary>Returns whether the certificates of some options come from the same sources.</summary>
    public bool IsOf(RpcTls options) => ReferenceEquals(options, _options)
        || (ReferenceEquals(options.Certificate, _options.Certificate)
            && options.CertificateCallback == _options.CertificateCallback
            && options.CertificateFile == _options.CertificateFile
            && options.CertificateKeyFile == _options.CertificateKeyFile
            && ReferenceEquals(options.Intermediates, _options.Intermediates)
            && ReferenceEquals(options.TrustedIssuers, _options.TrustedIssuers)
            && options.TrustedIssuersCallback == _options.TrustedIssuersCallback
            && options.TrustedIssuersFile == _options.TrustedIssuersFile
            && options.ReloadInterval == _options.ReloadInterval);

    /// <summary>Loads everything, if that was not done before.</summary>
    /// <exception cref="ArgumentException">Something could not be loaded.</exception>
    public void Load()
    {
        lock (_gate)
        {
            if (_current is not null)
                return;
            Reload(now: null);
            if (_error is null)
                return;
            (_current, _own) = (null, null);
            throw new ArgumentException(_error);
        }
    }

    /// <summary>Gets the certificates for a handshake: those that a callback returns now, or that the files contained at most an interval ago.</summary>
    public TlsCredentials Take(TimeProvider timeProvider, ILogger logger)
    {
        Look(timeProvider, logger, isHandshake: true);
        lock (_gate)
            return _current!;
    }

    /// <summary>Reloads what may have changed, and warns of a certificate that expires soon. Throws nothing.</summary>
    public void Look(TimeProvider timeProvider, ILogger logger, bool isHandshake = false)
    {
        lock (_gate)
        {
            var isAsked = isHandshake && (_options.CertificateCallback is not null || _options.TrustedIssuersCallback is not null);
            var sinceLook = timeProvider.GetElapsedTime(_lookedAt);
            if (isAsked || _lookedAt == 0 || sinceLook >= _options.ReloadInterval || sinceLook < TimeSpan.Zero)
            {
                _lookedAt = timeProvider.GetTimestamp();
                Reload(timeProvider.GetUtcNow());
            }

            Report(timeProvider.GetUtcNow(), logger);
        }
    }

    // Under the lock. Without a time, whatever there is will do: the other side refuses it, if need be.
    void Reload(DateTimeOffset? now)
    {
        _error = null;
        var (certificate, issuers) = (_current?.Certificate, _current?.TrustedIssuers);
        try
        {
            certificate = ReadCertificate(now) ?? certificate;
        }
        catch (Exception error)
        {
            var source = _certificateFiles is null ? "by CertificateCallback" : $"from {_certificateFiles}";
            _error = $"The certificate could not be loaded {source}: {error.Message}";
        }

        try
        {
            issuers = ReadIssuers() ?? issuers;
        }
        catch (Exception error)
        {
            var source = _issuerFiles is null ? "by TrustedIssuersCallback" : $"from {_issuerFiles}";
            _error ??= $"The trusted issuers could not be loaded {source}: {error.Message}";
        }

        if (_current is null || _current.Certificate != certificate || _current.TrustedIssuers != issuers)
            _current = new TlsCredentials(certificate, issuers);
    }

    // Null if there is none, or none but the one in use.
    SslStreamCertificateContext? ReadCertificate(DateTimeOffset? now)
    {
        var certificate = _options.Certificate;
        var intermediates = _options.Intermediates;
        string[]? texts = null;
        if (_options.CertificateCallback is { } callback)
        {
            certificate = callback() ?? throw new InvalidOperationException("The callback has returned null.");
        }
        else if (_certificateFiles is not null)
        {
            texts = _certificateFiles.Read();
            if (_own is not null && _certificateFiles.IsAccepted(texts))
                return null;
            (certificate, intermediates) = ReadPem(texts[0], texts[^1]);
        }

        if (certificate is null || ReferenceEquals(certificate, _own?.Certificate))
            return null;
        if (!certificate.HasPrivateKey)
        {
            throw new ArgumentException(
                $"The certificate '{certificate.Subject}' has no private key. Load it with its key, from a PFX or with CreateFromPemFile.");
        }

        var context = SslStreamCertificateContext.Create(certificate, intermediates, offline: true);
        var own = new OwnCertificate(certificate, context.IntermediateCertificates);
        if (now is { } time && _own?.End > time && (own.End <= time || own.Begin > time))
            throw new InvalidOperationException($"'{own.Subject}' holds with its issuers from {own.Begin:u} to {own.End:u}, which is not now.");
        if (texts is not null)
            _certificateFiles!.Accept(texts);
        _own = own;
        return context;
    }

    X509Certificate2Collection? ReadIssuers()
    {
        if (_options.TrustedIssuersCallback is { } callback)
            return callback() ?? throw new InvalidOperationException("The callback has returned null.");
        if (_issuerFiles is null)
            return _options.TrustedIssuers;
        var texts = _issuerFiles.Read();
        if (_current?.TrustedIssuers is not null && _issuerFiles.IsAccepted(texts))
            return null;
        var issuers = new X509Certificate2Collection();
        issuers.ImportFromPem(texts[0]);
        if (issuers.Count == 0)
            throw new CryptographicException("There is no certificate in it.");
        _issuerFiles.Accept(texts);
        return issuers;
    }

    static (X509Certificate2 Certificate, X509Certificate2Collection Intermediates) ReadPem(string certificatePem, string keyPem)
    {
        var certificate = X509Certificate2.CreateFromPem(certificatePem, keyPem);
        if (OperatingSystem.IsWindows())
        {
            // Windows does not serve with a key that is only in memory.
            using var inMemory = certificate;
            certificate = X509CertificateLoader.LoadPkcs12(inMemory.Export(X509ContentType.Pkcs12), null);
        }

        var chain = new X509Certificate2Collection();
        chain.ImportFromPem(certificatePem);
        chain.RemoveAt(0);      // the certificate itself comes first
        return (certificate, chain);
    }

    // Under the lock.
    void Report(DateTimeOffset now, ILogger logger)
    {
        var pause = _error == _loggedError ? PauseBetweenWarnings : PauseBetweenErrors;
        if (_error is not null && (_loggedError is null || now - _errorLoggedAt >= pause))
        {
            (_loggedError, _errorLoggedAt) = (_error, now);
            Log.ReloadFailed(logger, Log.Clause(_error));
        }
        else if (_error is null && _loggedError is not null)
        {
            _loggedError = null;
            Log.ReloadedAgain(logger);
        }

        if (_own is null)
            return;
        if (_loggedThumbprints != _own.Thumbprints)
        {
            (_loggedThumbprints, _warnedAt, _hasWarnedOfEnd) = (_own.Thumbprints, null, false);
            Log.CertificateUsed(logger, _own.Subject, _own.End);
        }

        var isOver = now >= _own.End;
        if (now < _own.RenewBy || (now - _warnedAt < PauseBetweenWarnings && isOver == _hasWarnedOfEnd))
            return;
        (_warnedAt, _hasWarnedOfEnd) = (now, isOver);
        if (isOver)
            Log.CertificateExpired(logger, _own.Name, _own.End);
        else
            Log.CertificateExpires(logger, _own.Name, _own.End);
    }
}
