using Datacake.Rpc.Contracts;

namespace Datacake.Rpc;

/// <summary>
/// The limits on the resources of a connection. A peer that exceeds a limit is refused with <see cref="RpcStatus.LimitExceeded"/> or cut
/// off, and the log names the peer and the limit. Each side has its own limits. The handshake exchanges some of them, which the other side
/// then respects.
/// </summary>
public sealed record RpcLimits
{
    /// <summary>Gets or sets the maximum payload of a request, a reply or a stream message, in bytes. The default is 16 MiB.</summary>
    public int MessageSize { get; set; } = 16 * 1024 * 1024;

    /// <summary>
    /// Gets or sets the maximum size of the route and headers of a call together, in bytes, from 64 to 8,192. The default is 4 KiB.
    /// </summary>
    public int HeaderSize { get; set; } = 4 * 1024;

    /// <summary>
    /// Gets or sets the maximum size of the messages that a connection may buffer at a time, in bytes. This includes large messages that are
    /// arriving or being handled, and the overhead of all messages that wait in a stream for their reader. While this many bytes of replies
    /// wait for the client to read them, no new calls of that client begin. The value must be at least four times
    /// <see cref="MessageSize"/>, because assembling a message can temporarily take that much. The default is 64 MiB.
    /// </summary>
    public long BufferedBytes { get; set; } = 64 * 1024 * 1024;

    /// <summary>
    /// Gets or sets the maximum size of the messages that all connections of a server together may buffer, in bytes. It must not be less than
    /// <see cref="BufferedBytes"/>. The default is 512 MiB.
    /// </summary>
    public long TotalBufferedBytes { get; set; } = 512 * 1024 * 1024;

    /// <summary>
    /// Gets or sets the maximum number of calls and streams in flight on one connection. Further calls wait on the caller's side. The default is
    /// 1,024.
    /// </summary>
    public int CallsInFlight { get; set; } = 1024;

    /// <summary>Gets or sets the maximum number of connections of a server, including unfinished handshakes. The default is 1,024.</summary>
    public int Connections { get; set; } = 1024;

    /// <summary>
    /// Gets or sets the maximum number of unfinished handshakes of one host, so that a stranger cannot lock out all others. All hosts together may
    /// have unfinished handshakes for half of <see cref="Connections"/>. Nodes behind one NAT count as one host, and so do all IPv6
    /// addresses with the same first 64 bits. The default is 64.
    /// </summary>
    public int HandshakesPerHost { get; set; } = 64;

    /// <summary>
    /// Gets or sets the maximum time for TCP, TLS and greeting together until a new connection is ready for calls, from 1 ms to 30 days. The
    /// default is 5 s.
    /// </summary>
    public TimeSpan HandshakeTime { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Gets or sets the number of bytes of a stream that the other side may send ahead of the reader, at least 1,024. The default is 1 MiB. As long
    /// as any of the window is left, a message of any size may be sent, so a stream buffers at most this value plus one
    /// <see cref="MessageSize"/>.
    /// </summary>
    public int StreamWindow { get; set; } = 1024 * 1024;

    /// <summary>
    /// Gets or sets the time that determines how soon a side detects that its peer has disappeared without closing the connection, for example
    /// because of a pulled cable or a power failure. A side that has received nothing for this long sends a ping. A side that has received
    /// nothing for twice as long, or whose single write has taken twice as long, ends the connection. Because it checks four times per
    /// period, this happens 1.75 to 2 × KeepAlive after the last byte. Each side has its own value, from 1 ms to 30 days. A ping and its
    /// answer must fit into three quarters of it. The default is 10 s.
    /// </summary>
    public TimeSpan KeepAlive { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Gets or sets the time after which a connection without a call or stream is closed, from 1 ms to 30 days, or
    /// <see cref="Timeout.InfiniteTimeSpan"/> for never. A channel closes it and connects again with its next call. A server first asks the
    /// client to close it, so that no call is lost. Detection takes up to one and a half times this value. The default is 10 minutes.
    /// </summary>
    public TimeSpan IdleTime { get; set; } = TimeSpan.FromMinutes(10);

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
