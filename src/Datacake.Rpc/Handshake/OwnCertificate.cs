using System.Security.Cryptography.X509Certificates;

namespace Datacake.Rpc.Handshake;

/// <summary>
/// This side's certificate and the dates of the chain that is sent with it. The certificate of the chain that expires first decides when to renew. Reads
/// everything at once, since the certificates belong to somebody else, who may dispose them.
/// </summary>
sealed class OwnCertificate
{
    static readonly TimeSpan LongestWarningTime = TimeSpan.FromDays(14);

    readonly DateTimeOffset _firstToExpireBegins;

    /// <param name="certificate">The certificate.</param>
    /// <param name="issuers">Those that are sent along with it.</param>
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

    /// <summary>Gets the certificate that expires first as a part of a sentence.</summary>
    public string Name { get; }

    /// <summary>Gets a text that tells chains apart.</summary>
    public string Thumbprints { get; }

    /// <summary>Gets the time from which the whole chain is valid.</summary>
    public DateTimeOffset Begin { get; }

    /// <summary>Gets the time at which the first certificate of the chain expires.</summary>
    public DateTimeOffset End { get; }

    /// <summary>Gets the time from which to warn: 14 days before the end, or a quarter of the lifetime where that is less.</summary>
    public DateTimeOffset RenewBy =>
        (End - _firstToExpireBegins) / 4 is var quarter && quarter < LongestWarningTime ? End - quarter : End - LongestWarningTime;

    public static DateTimeOffset EndOf(X509Certificate2 certificate) => new(certificate.NotAfter.ToUniversalTime());

    static DateTimeOffset BeginOf(X509Certificate2 certificate) => new(certificate.NotBefore.ToUniversalTime());
}
