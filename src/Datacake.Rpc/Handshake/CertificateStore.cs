using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Datacake.Rpc.Logging;
using Microsoft.Extensions.Logging;

namespace Datacake.Rpc.Handshake;

/// <summary>
/// The current certificate and trusted issuers of one <see cref="RpcTls"/>, shared by all servers and channels with these options. If a new
/// one cannot be loaded, the failure is reported and the previous one stays in use. Thread-safe.
/// </summary>
sealed class CertificateStore
{
    static readonly TimeSpan PauseBetweenWarnings = TimeSpan.FromDays(1);
    static readonly TimeSpan PauseBetweenErrors = TimeSpan.FromMinutes(1);

    readonly RpcTls _options;
    readonly WatchedFiles? _certificateFiles;
    readonly WatchedFiles? _issuerFiles;
    readonly Lock _gate = new();

    // All fields below are under the lock.
    TlsCredentials? _current;
    OwnCertificate? _own;
    long _checkedAt;
    string? _error;
    string? _loggedThumbprints;     // Of the chain that was logged last.
    string? _loggedError;
    DateTimeOffset _errorLoggedAt;
    DateTimeOffset? _warnedAt;
    bool _hasWarnedOfEnd;

    public CertificateStore(RpcTls options)
    {
        _options = options with { };
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

    /// <summary>Returns whether the certificates of other options come from the same sources.</summary>
    public bool IsOf(RpcTls options) => ReferenceEquals(options.Certificate, _options.Certificate)
        && options.CertificateCallback == _options.CertificateCallback
        && options.CertificateFile == _options.CertificateFile
        && options.CertificateKeyFile == _options.CertificateKeyFile
        && ReferenceEquals(options.Intermediates, _options.Intermediates)
        && ReferenceEquals(options.TrustedIssuers, _options.TrustedIssuers)
        && options.TrustedIssuersCallback == _options.TrustedIssuersCallback
        && options.TrustedIssuersFile == _options.TrustedIssuersFile
        && options.ReloadInterval == _options.ReloadInterval;

    /// <summary>Loads the certificate and the trusted issuers, unless they are already loaded.</summary>
    /// <exception cref="ArgumentException">The certificate or the trusted issuers could not be loaded.</exception>
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

    /// <summary>
    /// Returns the certificates for a handshake: those that a callback currently returns, or those that the files contained at most one
    /// reload interval ago.
    /// </summary>
    public TlsCredentials GetCredentials(TimeProvider timeProvider, ILogger logger)
    {
        Refresh(timeProvider, logger, isHandshake: true);
        lock (_gate)
            return _current!;
    }

    /// <summary>Reloads the certificates if they may have changed, and logs a warning if one expires soon. Does not throw.</summary>
    public void Refresh(TimeProvider timeProvider, ILogger logger, bool isHandshake = false)
    {
        lock (_gate)
        {
            var mustCallBack = isHandshake && (_options.CertificateCallback is not null || _options.TrustedIssuersCallback is not null);
            var sinceCheck = timeProvider.GetElapsedTime(_checkedAt);
            if (mustCallBack || _checkedAt == 0 || sinceCheck >= _options.ReloadInterval || sinceCheck < TimeSpan.Zero)
            {
                _checkedAt = timeProvider.GetTimestamp();
                Reload(timeProvider.GetUtcNow());
            }

            Report(timeProvider.GetUtcNow(), logger);
        }
    }

    // Under the lock. Without a time, validity is not checked. The other side refuses an invalid certificate.
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

    // Returns null if there is no certificate, or if it is already in use.
    SslStreamCertificateContext? ReadCertificate(DateTimeOffset? now)
    {
        var certificate = _options.Certificate;
        var intermediates = _options.Intermediates;
        string[]? texts = null;
        if (_options.CertificateCallback is { } callback)
        {
            certificate = callback() ?? throw new InvalidOperationException("The callback returned null.");
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
                $"The certificate '{certificate.Subject}' has no private key. Load it with its key, from a PFX file or with CreateFromPemFile.");
        }

        var context = SslStreamCertificateContext.Create(certificate, intermediates, offline: true);
        var own = new OwnCertificate(certificate, context.IntermediateCertificates);
        if (now is { } time && _own?.End > time && (own.End <= time || own.Begin > time))
        {
            throw new InvalidOperationException(
                $"The certificate '{own.Subject}' with its issuers is valid only from {own.Begin:u} to {own.End:u}.");
        }

        if (texts is not null)
            _certificateFiles!.Accept(texts);
        _own = own;
        return context;
    }

    X509Certificate2Collection? ReadIssuers()
    {
        if (_options.TrustedIssuersCallback is { } callback)
            return callback() ?? throw new InvalidOperationException("The callback returned null.");
        if (_issuerFiles is null)
            return _options.TrustedIssuers;
        var texts = _issuerFiles.Read();
        if (_current?.TrustedIssuers is not null && _issuerFiles.IsAccepted(texts))
            return null;
        var issuers = new X509Certificate2Collection();
        issuers.ImportFromPem(texts[0]);
        if (issuers.Count == 0)
            throw new CryptographicException("The file contains no certificate.");
        _issuerFiles.Accept(texts);
        return issuers;
    }

    static (X509Certificate2 Certificate, X509Certificate2Collection Intermediates) ReadPem(string certificatePem, string keyPem)
    {
        var certificate = X509Certificate2.CreateFromPem(certificatePem, keyPem);
        if (OperatingSystem.IsWindows())
        {
            // On Windows, a server cannot use a private key that exists only in memory.
            using var inMemory = certificate;
            certificate = X509CertificateLoader.LoadPkcs12(inMemory.Export(X509ContentType.Pkcs12), null);
        }

        var chain = new X509Certificate2Collection();
        chain.ImportFromPem(certificatePem);
        chain.RemoveAt(0);      // The first one is the certificate itself.
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
