using Datacake.Rpc.Handshake;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Datacake.Rpc;

/// <summary>How a server runs. The defaults are safe on a network that isn't trusted, and fast enough on one that is.</summary>
public sealed record RpcServerOptions
{
    /// <summary>How bytes travel. Default: TCP.</summary>
    public ITransport Transport { get; init; } = TcpTransport.Default;

    /// <summary>Sizes, counts and times that a peer may not exceed.</summary>
    public RpcLimits Limits { get; init; } = new();

    /// <summary>
    /// Limits how long <see cref="RpcServer.DisposeAsync"/> lets calls in flight finish before it cuts them off. From zero to 30 days.
    /// Default: 5 s.
    /// </summary>
    public TimeSpan DrainTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Encryption, and the certificates of both sides. Clients without TLS are refused, with a reason. Default: none.
    /// </summary>
    public RpcTls? Tls { get; init; }

    /// <summary>
    /// What all nodes of a cluster know and nobody else. A client must prove that it knows it before any service is reachable; the
    /// secret itself never travels. Without TLS, everything after that is encrypted and authenticated with keys that follow from it. At least 16 characters,
    /// better 32 random ones. Default: none.
    /// </summary>
    public string? ClusterSecret { get; init; }

    /// <summary>
    /// Lists secrets that clients may prove instead of <see cref="ClusterSecret"/>, so that a cluster can change its secret node by node.
    /// Three rounds of restarts: first every node accepts the new one, then every node has the new one as ClusterSecret and accepts the
    /// old one, then none accepts the old one. At least 16 characters each. Default: none.
    /// </summary>
    public IReadOnlyList<string> AcceptedClusterSecrets { get; init; } = [];

    /// <summary>The clock of deadlines, keep-alive and time limits.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Where refused peers, broken limits and failed handlers are reported.</summary>
    public ILogger Logger { get; init; } = NullLogger.Instance;

    /// <summary>The protocol that the server speaks; others than the current one are for tests.</summary>
    internal ProtocolVersions Versions { get; init; } = ProtocolVersions.Current;

    /// <summary>Returns the options without the secrets.</summary>
    public override string ToString() => $"{nameof(RpcServerOptions)} {{ Transport = {Transport}, Tls = {Tls is not null}, ClusterSecret = {(ClusterSecret is null ? "none" : "set")} }}";

    internal void Check()
    {
        Limits.Check();
        ClusterSecrets.Check(ClusterSecret, AcceptedClusterSecrets);
        Tls?.Check(isServer: true);
        TimeRange.Check(DrainTimeout, TimeSpan.Zero);
    }
}
