using Datacake.Rpc.Handshake;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Datacake.Rpc;

/// <summary>How a channel connects and calls.</summary>
public sealed record RpcChannelOptions
{
    /// <summary>How bytes travel. Default: TCP.</summary>
    public ITransport Transport { get; init; } = TcpTransport.Default;

    /// <summary>Sizes, counts and times that the server may not exceed, and the calls that this side makes at a time.</summary>
    public RpcLimits Limits { get; init; } = new();

    /// <summary>
    /// Limits a call or the opening of a stream, unless its options name another limit. Positive, of any length; <see
    /// cref="Timeout.InfiniteTimeSpan"/> for no limit. Default: 10 s.
    /// </summary>
    public TimeSpan CallTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Sets the wait after the first failed attempt to connect; the wait doubles with each further one. From 1 ms to 30 days.
    /// Default: 100 ms.
    /// </summary>
    public TimeSpan InitialBackoff { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// Limits the wait between attempts. From <see cref="InitialBackoff"/> to 30 days. Default: 5 s. A random part of up to a half is
    /// taken off, so that peers do not come in step.
    /// </summary>
    public TimeSpan MaxBackoff { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Seeds the randomness of the back-off. Default: unpredictable.</summary>
    public int? Seed { get; init; }

    /// <summary>
    /// Encryption, and the certificates of both sides. A server without TLS is refused, with a reason. Default: none.
    /// </summary>
    public RpcTls? Tls { get; init; }

    /// <summary>
    /// What all nodes of a cluster know and nobody else. The server must prove that it knows it, and so must this side; the secret
    /// itself never travels. Without TLS, everything after that is encrypted and authenticated with keys that follow from it. At least 16 characters, better 32
    /// random ones. Default: none.
    /// </summary>
    public string? ClusterSecret { get; init; }

    /// <summary>The clock of deadlines, keep-alive and back-off.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Where connects, losses and broken limits are reported.</summary>
    public ILogger Logger { get; init; } = NullLogger.Instance;

    /// <summary>The protocol that the channel speaks; others than the current one are for tests.</summary>
    internal ProtocolVersions Versions { get; init; } = ProtocolVersions.Current;

    /// <summary>Returns the options without the secret.</summary>
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
