using Datacake.Rpc.Handshake;

namespace Datacake.Rpc;

/// <summary>A node's own certificate, as a health check wants to know it.</summary>
public sealed class RpcCertificateStatus
{
    internal RpcCertificateStatus(OwnCertificate own, string? reloadError) =>
        (Subject, FirstToExpire, RenewBy, ExpiresAt, ReloadError) = (own.Subject, own.FirstToExpire, own.RenewBy, own.End, reloadError);

    /// <summary>Gets the subject of the certificate that new connections use.</summary>
    public string Subject { get; }

    /// <summary>
    /// Gets the subject of the certificate that expires first: the certificate itself, or one that is sent along with it, up to its root.
    /// </summary>
    public string FirstToExpire { get; }

    /// <summary>
    /// Gets the time from which a warning is logged every day: 14 days before <see cref="ExpiresAt"/>, or a quarter of the lifetime of
    /// the certificate that expires first where that is less.
    /// </summary>
    public DateTimeOffset RenewBy { get; }

    /// <summary>
    /// Gets the time at which the first certificate expires of those that are sent. Connections end before that; from then on, the other
    /// side refuses new ones.
    /// </summary>
    public DateTimeOffset ExpiresAt { get; }

    /// <summary>
    /// Gets why a newer certificate, or newer trusted issuers, could not be taken over, so that the former ones stay in use. Null if
    /// the last look was successful.
    /// </summary>
    public string? ReloadError { get; }
}
