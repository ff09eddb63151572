using Datacake.Rpc.Contracts;
using Datacake.Rpc.Handshake;
using Datacake.Rpc.Sealing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Datacake.Rpc;

/// <summary>The options of an <see cref="RpcChannel"/>.</summary>
public sealed record RpcChannelOptions
{
    /// <summary>Gets or sets the transport. The default is TCP.</summary>
    public ITransport Transport { get; set; } = TcpTransport.Default;

    /// <summary>Gets or sets the limits of sizes, counts and times for the server, and the maximum number of concurrent calls of this side.</summary>
    public RpcLimits Limits { get; set; } = new();

    /// <summary>
    /// Gets or sets the time limit of a call or of the opening of a stream, unless its own options override it. Any positive length is allowed, and
    /// <see cref="Timeout.InfiniteTimeSpan"/> means no limit. The default is 10 s.
    /// </summary>
    public TimeSpan CallTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Gets or sets the pause after the first failed attempt to connect, from 1 ms to 30 days. The pause doubles with each further failure. The
    /// default is 100 ms.
    /// </summary>
    public TimeSpan InitialBackoff { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// Gets or sets the maximum pause between attempts, from <see cref="InitialBackoff"/> to 30 days. The default is 5 s. Each pause is shortened
    /// by a random part of up to a half, so that peers do not reconnect in lockstep.
    /// </summary>
    public TimeSpan MaxBackoff { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Gets or sets the seed for the random part of the pauses. The default is an unpredictable seed.</summary>
    public int? Seed { get; set; }

    /// <summary>
    /// Gets or sets the TLS options: encryption, and the certificates of both sides. With TLS, the channel refuses servers without TLS and reports
    /// the reason. The default is no TLS.
    /// </summary>
    public RpcTls? Tls { get; set; }

    /// <summary>
    /// Gets or sets the secret that all nodes of a cluster share. Both the server and this side must prove that they know it, but the secret itself
    /// is never transmitted. Without TLS, all further traffic is encrypted and authenticated with keys derived from it. It needs at least
    /// 16 characters; 32 random characters are recommended. The default is none.
    /// </summary>
    public string? ClusterSecret { get; set; }

    /// <summary>Gets or sets the clock for deadlines, keep-alive and pauses between attempts.</summary>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;

    /// <summary>Gets or sets the logger for connects, lost connections and exceeded limits. The default is none.</summary>
    public ILogger Logger { get; set; } = NullLogger.Instance;

    /// <summary>Gets or sets the protocol versions that the channel supports. Values other than the default are for tests.</summary>
    internal ProtocolVersions Versions { get; set; } = ProtocolVersions.Current;

    /// <summary>Returns a description of the options that does not contain the secret.</summary>
    public override string ToString() => $"{nameof(RpcChannelOptions)} {{ Transport = {Transport}, Tls = {Tls is not null}, ClusterSecret = {(ClusterSecret is null ? "none" : "set")} }}";

    internal void Check()
    {
        Limits.Check();
        ClusterSecrets.Check(ClusterSecret, []);
        Tls?.Check(isServer: false);
        TimeRange.Check(InitialBackoff, TimeRange.Shortest);
        TimeRange.Check(MaxBackoff, InitialBackoff);
        if (TimeRange.IsOver(CallTimeout))
        {
            throw new ArgumentOutOfRangeException(
                nameof(CallTimeout), CallTimeout, "CallTimeout must be positive, or Timeout.InfiniteTimeSpan for no limit.");
        }
    }
}
