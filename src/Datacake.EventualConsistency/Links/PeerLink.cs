using System.Threading.Channels;
using Datacake.Crdt;
using Datacake.EventualConsistency.Diagnostics;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Rpc;
using Microsoft.Extensions.Logging;

namespace Datacake.EventualConsistency.Links;

/// <summary>
/// The local end of one session: bounded queues for what is sent and the tasks that empty them, and the account of what came. A peer that takes too
/// little loses mutations, which it fetches later; the link never holds up the writer, and costs a bounded amount of memory.
/// </summary>
sealed class PeerLink(byte peer, RpcStream stream, ILogger logger)
{
    const int MaxQueued = 4_096;
    const int MaxQueuedLong = 256;
    const long MaxQueuedBytes = 32 * 1024 * 1024;
    const long MaxUnhandledBytes = 4 * 1024 * 1024;
    const int MaxAcknowledgedIntervals = 1_024;

    // Null stands for an acknowledgement of all that is applied by the time it is sent.
    readonly Channel<byte[]?> _short = Channel.CreateBounded<byte[]?>(new BoundedChannelOptions(MaxQueued) { SingleReader = true });
    readonly Channel<byte[]> _long = Channel.CreateBounded<byte[]>(new BoundedChannelOptions(MaxQueuedLong) { SingleReader = true });
    readonly TaskCompletionSource<LinkEnd> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly Lock _acknowledgedLock = new();
    readonly List<StampInterval> _acknowledged = [];    // under its lock: applied, and the peer is yet to be told
    long _queuedBytes;              // added to by whoever posts, taken from by the senders
    long _unhandledBytes;           // added to by the receiver, taken from by the commit loop
    int _hasAnswerBytes;            // set by the receiver, taken by the commit loop
    bool _isLagging;                // used by the commit loop alone

    public byte Peer { get; } = peer;

    public RpcStream Stream { get; } = stream;

    /// <summary>The session's id in the replica; set on the commit loop, before anyone else knows the link.</summary>
    public long Session { get; set; }

    /// <summary>The hello that has yet to be sent before anything else, or <see langword="null"/>; set on the commit loop when the session opens.</summary>
    public Hello? Greeting { get; set; }

    /// <summary>Gossip's verdict on the peer since the session opened; used by the commit loop alone.</summary>
    public GossipVerdict Verdict { get; } = new();

    /// <summary>The reads that this node has under way in the session.</summary>
    public PeerReads Reads { get; } = new();

    /// <summary>Completes when this side ends the session.</summary>
    public Task<LinkEnd> Ended => _ended.Task;

    /// <summary>True if so much of what came is not worked on yet that no more should be read.</summary>
    public bool HasTooMuchUnhandled => Interlocked.Read(ref _unhandledBytes) > MaxUnhandledBytes;

    /// <summary>Takes note that so many bytes came, or were worked on if negative.</summary>
    public void AddUnhandled(int bytes) => Interlocked.Add(ref _unhandledBytes, bytes);

    /// <summary>Takes note that a part of an answer to a pull came.</summary>
    public void AddAnswerBytes() => Volatile.Write(ref _hasAnswerBytes, 1);

    /// <summary>Returns whether a part of an answer has come since the last call.</summary>
    public bool TakeAnswerBytes() => Volatile.Read(ref _hasAnswerBytes) != 0 && Interlocked.Exchange(ref _hasAnswerBytes, 0) != 0;

    /// <summary>Queues a message; drops it if the peer is too far behind. Called on the commit loop.</summary>
    public void Post(ReplicaMessage message)
    {
        bool isTaken = TryPost(message);
        if (!isTaken && !_isLagging && !_ended.Task.IsCompleted)
            StoreLog.PeerLags(logger, Peer);
        _isLagging = !isTaken;
    }

    /// <summary>Queues a message unless the peer is too far behind or the session is over. Thread-safe.</summary>
    public bool TryPost(ReplicaMessage message)
    {
        byte[] encoded = message.Encoded;
        // One message may be as long as it likes, or it could never be sent.
        long queued = Interlocked.Read(ref _queuedBytes);
        bool hasRoom = queued == 0 || queued + encoded.Length <= MaxQueuedBytes;
        bool isTaken = hasRoom && (encoded.Length <= Fragment.MaxFrameLength ? _short.Writer.TryWrite(encoded) : _long.Writer.TryWrite(encoded));
        if (isTaken)
            Interlocked.Add(ref _queuedBytes, encoded.Length);
        return isTaken;
    }

    /// <summary>
    /// Tells the peer that transactions of it are applied. If it is too far behind it is not told, and sees it by the next report. Called on the commit loop.
    /// </summary>
    public void Acknowledge(IReadOnlyList<StampInterval> applied)
    {
        lock (_acknowledgedLock)
        {
            bool isDue = _acknowledged.Count > 0;
            foreach (var interval in applied)
            {
                // Mostly they continue each other, so that many are told as one.
                if (_acknowledged is [.., var last] && last.High == interval.Low)
                    _acknowledged[^1] = last with { High = interval.High };
                else if (_acknowledged.Count < MaxAcknowledgedIntervals)
                    _acknowledged.Add(interval);
            }
            if (!isDue && !_short.Writer.TryWrite(null))
                _acknowledged.Clear();
        }
    }

    /// <summary>Starts the tasks that send what is queued, until the link is closed or the stream breaks.</summary>
    public Task[] StartSending(CancellationToken cancellationToken) => [SendShortAsync(cancellationToken), SendLongAsync(cancellationToken)];

    /// <summary>Ends the session from this side. Only the first call counts. Thread-safe.</summary>
    public void End(LinkEnd end) => _ended.TrySetResult(end);

    /// <summary>Takes no more messages, and lets the senders end.</summary>
    public void Close()
    {
        _short.Writer.TryComplete();
        _long.Writer.TryComplete();
    }

    async Task SendShortAsync(CancellationToken cancellationToken)
    {
        var lane = new LaneWriter(Stream, MessageLane.Short);
        // Whoever cancels closes the queue, too: to wait without the token costs nothing.
        while (await _short.Reader.WaitToReadAsync(CancellationToken.None).ConfigureAwait(false))
        {
            while (_short.Reader.TryRead(out byte[]? message))
            {
                Interlocked.Add(ref _queuedBytes, -(message?.Length ?? 0));
                await lane.WriteAsync(message ?? TakeAcknowledgement().Encoded, cancellationToken).ConfigureAwait(false);
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
                // It counts until it is sent, which takes a while.
                Interlocked.Add(ref _queuedBytes, -message.Length);
            }
        }
    }

    Acknowledgement TakeAcknowledgement()
    {
        lock (_acknowledgedLock)
        {
            var acknowledgement = new Acknowledgement([.. _acknowledged]);
            _acknowledged.Clear();
            return acknowledgement;
        }
    }
}
