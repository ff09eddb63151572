namespace Datacake.Rpc;

/// <summary>A node's own certificate, as a health check wants to know it.</summary>
public sealed class RpcCertificateStatus
{
    internal RpcCertificateStatus(string subject, DateTimeOffset renewBy, DateTimeOffset expiresAt, string? reloadError) =>
        (Subject, RenewBy, ExpiresAt, ReloadError) = (subject, renewBy, expiresAt, reloadError);

    /// <summary>Gets the subject of the certificate that new connections use.</summary>
    public string Subject { get; }

    /// <summary>
    /// Gets the time from which a warning is logged every day: 14 days before the certificate expires, or a quarter of its lifetime where
    /// that is less.
    /// </summary>
    public DateTimeOffset RenewBy { get; }

    /// <summary>Gets the time at which the certificate expires. Connections end before that; new ones are refused by the other side.</summary>
    public DateTimeOffset ExpiresAt { get; }

    /// <summary>
    /// Gets why a newer certificate, or newer trusted issuers, could not be taken over, so that the former ones stay in use. Null if
    /// the last look was successful.
    /// </summary>
    public string? ReloadError { get; }
}
