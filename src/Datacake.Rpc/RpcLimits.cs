namespace Datacake.Rpc;

/// <summary>
/// What a connection may cost its owner. Whoever exceeds a limit is refused with <see cref="RpcStatus.LimitExceeded"/> or cut off, and
/// the log names the peer and the limit. Both ends have their own; each side obeys the other's where the handshake tells it.
/// </summary>
public sealed record RpcLimits
{
    /// <summary>The largest payload of a request, a reply or a stream message, in bytes. Default: 16 MiB.</summary>
    public int MessageSize { get; init; } = 16 * 1024 * 1024;

    /// <summary>The largest route and headers of a call, in bytes; at most 8,192. Default: 4 KiB.</summary>
    public int HeaderSize { get; init; } = 4 * 1024;

    /// <summary>
    /// Bytes of large messages that a connection may hold at a time, those that are still arriving and those that are being handled, and what small
    /// ones take that wait in a stream for their reader. While so many bytes of replies wait for the client to read them, none of its calls begins.
    /// At least four times <see cref="MessageSize"/>, which is what putting one together may take for a moment. Default: 64 MiB.
    /// </summary>
    public long BufferedBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>
    /// The same bytes of all connections of a server together, so that many clients cannot take what no single one may. At least <see
    /// cref="BufferedBytes"/>. Default: 512 MiB.
    /// </summary>
    public long TotalBufferedBytes { get; init; } = 512 * 1024 * 1024;

    /// <summary>Calls and streams in flight on one connection. Default: 1,024. Further calls wait at the caller for their turn.</summary>
    public int CallsInFlight { get; init; } = 1024;

    /// <summary>Connections that a server keeps at a time, unfinished handshakes included. Default: 1,024.</summary>
    public int Connections { get; init; } = 1024;

    /// <summary>
    /// Connections from one host that a server keeps at a time before their handshakes are finished, so that a stranger does not keep all others out. All
    /// hosts together may have half of <see cref="Connections"/>. Default: 64. Nodes behind one NAT count as one host, and so do all IPv6 addresses with the same first 64
    /// bits.
    /// </summary>
    public int HandshakesPerHost { get; init; } = 64;

    /// <summary>
    /// Limits how long a new connection may take until it is ready for calls: TCP, TLS and greeting together. From 1 ms to 30 days.
    /// Default: 5 s.
    /// </summary>
    public TimeSpan HandshakeTime { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Bytes of a stream that the other side may send ahead of the reader. Default: 1 MiB. A message larger than what is left
    /// may still be sent in whole, so that what is buffered for a stream stays below this plus one <see cref="MessageSize"/>.
    /// </summary>
    public int StreamWindow { get; init; } = 1024 * 1024;

    /// <summary>
    /// Sets how soon a connection is found lost whose peer is gone without a word: a pulled cable, a machine without power. A side that
    /// has received nothing for this long sends a ping. A side that has received nothing for twice as long, or whose single write has
    /// taken twice as long, ends the connection; looking four times in the period, each side does so 1.75 to 2 × KeepAlive after the
    /// last byte. Each side has its own KeepAlive; the two may differ. From 1 ms to 30 days; a ping and its answer have
    /// to fit into three quarters of it. Default: 10 s.
    /// </summary>
    public TimeSpan KeepAlive { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// A connection without a call or stream for this long is closed: by the channel, which connects again with its next call, or by the
    /// server, which first asks the client to, so that no call is lost. Noticed after up to one and a half times as long; <see
    /// cref="Timeout.InfiniteTimeSpan"/> for never. From 1 ms to 30 days. Default: 10 minutes.
    /// </summary>
    public TimeSpan IdleTime { get; init; } = TimeSpan.FromMinutes(10);

    internal void Check()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(MessageSize, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(HeaderSize, 64);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(HeaderSize, 8 * 1024);
        ArgumentOutOfRangeException.ThrowIfLessThan(BufferedBytes, 4L * MessageSize);
        ArgumentOutOfRangeException.ThrowIfLessThan(TotalBufferedBytes, BufferedBytes);
        ArgumentOutOfRangeException.ThrowIfLessThan(CallsInFlight, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(Connections, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(HandshakesPerHost, 1);
        TimeRange.Check(HandshakeTime, TimeRange.Shortest);
        ArgumentOutOfRangeException.ThrowIfLessThan(StreamWindow, 1024);
        TimeRange.Check(KeepAlive, TimeRange.Shortest);
        TimeRange.Check(IdleTime, TimeRange.Shortest, mayBeInfinite: true);
    }
}
