using System.Security.Cryptography.X509Certificates;

namespace Datacake.Rpc.Handshake;

/// <summary>
/// This side's certificate and the dates of its chain. The certificate that expires first determines when to renew. The constructor copies
/// all data, because the certificates belong to the application, which may dispose them.
/// </summary>
sealed class OwnCertificate
{
    static readonly TimeSpan MaxWarningTime = TimeSpan.FromDays(14);

    readonly DateTimeOffset _firstToExpireBegins;

    /// <param name="certificate">The certificate.</param>
    /// <param name="issuers">The issuers that are sent with the certificate.</param>
    public OwnCertificate(X509Certificate2 certificate, IReadOnlyCollection<X509Certificate2> issuers)
    {
        X509Certificate2[] chain = [certificate, .. issuers];
        var first = chain.MinBy(EndOf)!;
        Certificate = certificate;
        Subject = certificate.Subject;
        FirstToExpire = first.Subject;
        Name = ReferenceEquals(first, certificate) ? $"'{Subject}'" : $"'{FirstToExpire}', an issuer of '{Subject}',";
        Thumbprints = string.Join(' ', chain.Select(one => one.Thumbprint));
        Begin = chain.Max(BeginOf);
        End = EndOf(first);
        _firstToExpireBegins = BeginOf(first);
    }

    public X509Certificate2 Certificate { get; }

    public string Subject { get; }

    /// <summary>Gets the subject of the certificate in the chain that expires first.</summary>
    public string FirstToExpire { get; }

    /// <summary>Gets a phrase that names the certificate that expires first, for use in a sentence.</summary>
    public string Name { get; }

    /// <summary>Gets the thumbprints of the whole chain, which identify it.</summary>
    public string Thumbprints { get; }

    /// <summary>Gets the time from which the whole chain is valid.</summary>
    public DateTimeOffset Begin { get; }

    /// <summary>Gets the time at which the first certificate of the chain expires.</summary>
    public DateTimeOffset End { get; }

    /// <summary>Gets the time from which to warn: 14 days before the end, or a quarter of the lifetime if that is less.</summary>
    public DateTimeOffset RenewBy =>
        (End - _firstToExpireBegins) / 4 is var quarter && quarter < MaxWarningTime ? End - quarter : End - MaxWarningTime;

    public static DateTimeOffset EndOf(X509Certificate2 certificate) => new(certificate.NotAfter.ToUniversalTime());

    static DateTimeOffset BeginOf(X509Certificate2 certificate) => new(certificate.NotBefore.ToUniversalTime());
}
