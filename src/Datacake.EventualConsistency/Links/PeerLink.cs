using System.Threading.Channels;
using Datacake.Crdt;
using Datacake.EventualConsistency.Diagnostics;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Rpc;
using Microsoft.Extensions.Logging;

namespace Datacake.EventualConsistency.Links;

/// <summary>
/// The local end of one session: bounded queues of messages to send, the tasks that empty them, and the account of what has arrived. A peer
/// that receives too slowly loses mutations, which it fetches later. The link never holds up the writer, and uses a bounded amount of
/// memory.
/// </summary>
sealed class PeerLink
{
    const int MaxQueued = 4_096;
    const int MaxQueuedLong = 256;
    const long MaxQueuedBytes = 32 * 1024 * 1024;
    const long MaxUnhandledBytes = 4 * 1024 * 1024;
    const int MaxAcknowledgedIntervals = 1_024;

    // Null stands for an acknowledgment of everything that is applied by the time it is sent.
    readonly Channel<byte[]?> _short = Channel.CreateBounded<byte[]?>(new BoundedChannelOptions(MaxQueued) { SingleReader = true });
    readonly Channel<byte[]> _long = Channel.CreateBounded<byte[]>(new BoundedChannelOptions(MaxQueuedLong) { SingleReader = true });
    readonly TaskCompletionSource<LinkEnd> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly Lock _acknowledgedLock = new();
    readonly List<StampInterval> _acknowledged = [];    // under its lock: applied, but not yet reported to the peer
    readonly ILogger _logger;
    long _queuedBytes;              // increased by the posting threads, decreased by the senders
    long _unhandledBytes;           // increased by the receiver, decreased by the commit loop
    int _hasAnswerBytes;            // set by the receiver, reset by the commit loop
    volatile bool _isClosed;
    bool _isLagging;                // used by the commit loop alone

    public PeerLink(byte peer, RpcStream stream, ILogger logger)
    {
        (Peer, Stream, _logger) = (peer, stream, logger);
        Reads = new PeerReads(this);
    }

    public byte Peer { get; }

    public RpcStream Stream { get; }

    /// <summary>Gets or sets the session's id in the replica. Set on the commit loop, before the link is known elsewhere.</summary>
    public long Session { get; set; }

    /// <summary>
    /// Gets or sets the hello that must be sent before anything else, or <see langword="null"/>. Set on the commit loop when the session
    /// opens.
    /// </summary>
    public Hello? Greeting { get; set; }

    /// <summary>
    /// Gets or sets the version and the capabilities that this node shares with the peer. Set on the commit loop when the session opens.
    /// </summary>
    public ProtocolVersion Protocol { get; set; }

    /// <summary>
    /// True if the peer's version or capabilities exceed this node's, so that it may send a message of an unknown kind. Set on the commit
    /// loop when the session opens.
    /// </summary>
    public bool IsPeerLater { get; set; }

    /// <summary>Gets gossip's verdict on the peer since the session was opened. Used by the commit loop alone.</summary>
    public GossipVerdict Verdict { get; } = new();

    /// <summary>Gets the reads of this node that are under way in the session.</summary>
    public PeerReads Reads { get; }

    /// <summary>Gets a task that completes when this side ends the session.</summary>
    public Task<LinkEnd> Ended => _ended.Task;

    /// <summary>True if so many of the received bytes are unprocessed that no more should be read.</summary>
    public bool HasTooMuchUnhandled => Interlocked.Read(ref _unhandledBytes) > MaxUnhandledBytes;

    /// <summary>Adds to the number of received bytes that are unprocessed; a negative number means that they were processed.</summary>
    public void AddUnhandled(int bytes) => Interlocked.Add(ref _unhandledBytes, bytes);

    /// <summary>Records that a part of an answer to a pull has arrived.</summary>
    public void AddAnswerBytes() => Volatile.Write(ref _hasAnswerBytes, 1);

    /// <summary>Returns true if a part of an answer has arrived since the last call.</summary>
    public bool TakeAnswerBytes() => Volatile.Read(ref _hasAnswerBytes) != 0 && Interlocked.Exchange(ref _hasAnswerBytes, 0) != 0;

    /// <summary>
    /// Returns the bytes of the form of a message that the peer can read, or <see langword="null"/> if the peer must not receive it.
    /// </summary>
    public byte[]? EncodeForPeer(ReplicaMessage message) => message.FormFor(Protocol)?.Encoded;

    /// <summary>
    /// Queues a message, or drops it if the peer is too far behind. A message that the version of the session does not have is not sent.
    /// Called on the commit loop.
    /// </summary>
    public void Post(ReplicaMessage message)
    {
        if (EncodeForPeer(message) is not { } encoded)
            return;
        bool isTaken = TryQueue(encoded);
        if (!isTaken && !_isLagging && !_isClosed && !_ended.Task.IsCompleted)
            StoreLog.PeerLags(_logger, Peer);
        _isLagging = !isTaken;
    }

    /// <summary>
    /// Queues a message, unless the peer must not receive it or is too far behind, or the session is over. Returns true if the message was
    /// queued. Thread-safe.
    /// </summary>
    public bool TryPost(ReplicaMessage message) => EncodeForPeer(message) is { } encoded && TryQueue(encoded);

    bool TryQueue(byte[] encoded)
    {
        // A single message may have any length, or it could never be sent.
        long queued = Interlocked.Read(ref _queuedBytes);
        bool hasRoom = queued == 0 || queued + encoded.Length <= MaxQueuedBytes;
        bool isTaken = hasRoom && (encoded.Length <= Fragment.MaxFrameLength ? _short.Writer.TryWrite(encoded) : _long.Writer.TryWrite(encoded));
        if (isTaken)
            Interlocked.Add(ref _queuedBytes, encoded.Length);
        return isTaken;
    }

    /// <summary>
    /// Tells the peer that transactions of it are applied. If the peer is too far behind, it is not told, but learns of them from the next
    /// report. Called on the commit loop.
    /// </summary>
    public void Acknowledge(IReadOnlyList<StampInterval> applied)
    {
        lock (_acknowledgedLock)
        {
            bool isDue = _acknowledged.Count > 0;
            foreach (var interval in applied)
            {
                // Most intervals continue the preceding one, so that many are sent as one.
                if (_acknowledged is [.., var last] && last.High == interval.Low)
                    _acknowledged[^1] = last with { High = interval.High };
                else if (_acknowledged.Count < MaxAcknowledgedIntervals)
                    _acknowledged.Add(interval);
            }
            if (!isDue && !_short.Writer.TryWrite(null))
                _acknowledged.Clear();
        }
    }

    /// <summary>Starts the tasks that send the queued messages, until the link is closed or the stream breaks.</summary>
    public Task[] StartSending(CancellationToken cancellationToken) => [SendShortAsync(cancellationToken), SendLongAsync(cancellationToken)];

    /// <summary>Ends the session from this side. Only the first call counts. Thread-safe.</summary>
    public void End(LinkEnd end) => _ended.TrySetResult(end);

    /// <summary>Stops taking messages, and lets the senders end.</summary>
    public void Close()
    {
        _isClosed = true;
        _short.Writer.TryComplete();
        _long.Writer.TryComplete();
    }

    async Task SendShortAsync(CancellationToken cancellationToken)
    {
        var lane = new LaneWriter(Stream, MessageLane.Short);
        // A cancellation also closes the queue, so the wait does not need the token.
        while (await _short.Reader.WaitToReadAsync(CancellationToken.None).ConfigureAwait(false))
        {
            while (_short.Reader.TryRead(out byte[]? message))
            {
                Interlocked.Add(ref _queuedBytes, -(message?.Length ?? 0));
                if ((message ?? EncodeForPeer(TakeAcknowledgment())) is { } bytes)
                    await lane.WriteAsync(bytes, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    async Task SendLongAsync(CancellationToken cancellationToken)
    {
        var lane = new LaneWriter(Stream, MessageLane.Long);
        while (await _long.Reader.WaitToReadAsync(CancellationToken.None).ConfigureAwait(false))
        {
            while (_long.Reader.TryRead(out byte[]? message))
            {
                await lane.WriteAsync(message, cancellationToken).ConfigureAwait(false);
                // A long message counts until it is sent, which takes a while.
                Interlocked.Add(ref _queuedBytes, -message.Length);
            }
        }
    }

    Acknowledgment TakeAcknowledgment()
    {
        lock (_acknowledgedLock)
        {
            var acknowledgment = new Acknowledgment([.. _acknowledged]);
            _acknowledged.Clear();
            return acknowledgment;
        }
    }
}
