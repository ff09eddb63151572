using Datacake.Rpc.Handshake;

namespace Datacake.Rpc;

/// <summary>The status of this side's own certificate, for health checks.</summary>
public sealed class RpcCertificateStatus
{
    internal RpcCertificateStatus(OwnCertificate own, string? reloadError) =>
        (Subject, FirstToExpire, RenewBy, ExpiresAt, ReloadError) = (own.Subject, own.FirstToExpire, own.RenewBy, own.End, reloadError);

    /// <summary>Gets the subject of the certificate that new connections use.</summary>
    public string Subject { get; }

    /// <summary>
    /// Gets the subject of the certificate that expires first: the certificate itself, or one of the issuers that are sent with it.
    /// </summary>
    public string FirstToExpire { get; }

    /// <summary>
    /// Gets the time from which a warning is logged every day: 14 days before <see cref="ExpiresAt"/>, or a quarter of the lifetime of
    /// the certificate that expires first, if that is less.
    /// </summary>
    public DateTimeOffset RenewBy { get; }

    /// <summary>
    /// Gets the time at which the first of the sent certificates expires. Connections end before that time. Afterwards, the other side
    /// refuses new ones.
    /// </summary>
    public DateTimeOffset ExpiresAt { get; }

    /// <summary>
    /// Gets the reason why a newer certificate, or newer trusted issuers, could not be loaded, so that the previous ones stay in use. Null
    /// if the last check succeeded.
    /// </summary>
    public string? ReloadError { get; }
}
