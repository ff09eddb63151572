using Datacake.Rpc.Contracts;
using Datacake.Rpc.Handshake;
using Datacake.Rpc.Sealing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Datacake.Rpc;

/// <summary>The options of an <see cref="RpcServer"/>. The default limits are suitable for untrusted and for trusted networks.</summary>
public sealed record RpcServerOptions
{
    /// <summary>Gets or sets the transport. The default is TCP.</summary>
    public ITransport Transport { get; set; } = TcpTransport.Default;

    /// <summary>Gets or sets the limits of sizes, counts and times for peers.</summary>
    public RpcLimits Limits { get; set; } = new();

    /// <summary>
    /// Gets or sets how long <see cref="RpcServer.DisposeAsync"/> lets calls in flight finish before it cancels them, from zero to 30 days. The
    /// default is 5 s.
    /// </summary>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Gets or sets the TLS options: encryption, and the certificates of both sides. With TLS, the server refuses clients without TLS and tells
    /// them the reason. The default is no TLS.
    /// </summary>
    public RpcTls? Tls { get; set; }

    /// <summary>
    /// Gets or sets the secret that all nodes of a cluster share. A client must prove that it knows the secret before it can reach any service, but
    /// the secret itself is never transmitted. Without TLS, all further traffic is encrypted and authenticated with keys derived from it.
    /// It needs at least 16 characters; 32 random characters are recommended. The default is none.
    /// </summary>
    public string? ClusterSecret { get; set; }

    /// <summary>
    /// Gets or sets secrets that clients may prove instead of <see cref="ClusterSecret"/>, so that a cluster can change its secret node by node.
    /// This takes three rounds of restarts. In the first round, every node accepts the new secret. In the second, every node uses the new
    /// secret as ClusterSecret and still accepts the old one. In the third, the old secret is removed. Each secret needs at least 16
    /// characters. The default is none.
    /// </summary>
    public IReadOnlyList<string> AcceptedClusterSecrets { get; set; } = [];

    /// <summary>Gets or sets the clock for deadlines, keep-alive and time limits.</summary>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;

    /// <summary>Gets or sets the logger for refused peers, exceeded limits and failed handlers. The default is none.</summary>
    public ILogger Logger { get; set; } = NullLogger.Instance;

    /// <summary>Gets or sets the protocol versions that the server supports. Values other than the default are for tests.</summary>
    internal ProtocolVersions Versions { get; set; } = ProtocolVersions.Current;

    /// <summary>Returns a description of the options that does not contain the secrets.</summary>
    public override string ToString() => $"{nameof(RpcServerOptions)} {{ Transport = {Transport}, Tls = {Tls is not null}, ClusterSecret = {(ClusterSecret is null ? "none" : "set")} }}";

    internal void Check()
    {
        Limits.Check();
        ClusterSecrets.Check(ClusterSecret, AcceptedClusterSecrets);
        Tls?.Check(isServer: true);
        TimeRange.Check(DrainTimeout, TimeSpan.Zero);
    }
}
