using System.Threading.Channels;
using Datacake.Crdt;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Rpc;
using Microsoft.Extensions.Logging;

namespace Datacake.EventualConsistency.Links;

/// <summary>
/// One session with a peer: a bounded queue for what is sent and the task that empties it, and the account of what came. A peer that takes too
/// little loses mutations, which it fetches later; the link never holds up the writer, and costs a bounded amount of memory.
/// </summary>
sealed class PeerLink(byte peer, RpcStream stream, ILogger logger)
{
    const int MaxQueued = 4_096;
    const long MaxQueuedBytes = 32 * 1024 * 1024;
    const long MaxUnhandledBytes = 4 * 1024 * 1024;
    const int MaxAcknowledgedIntervals = 1_024;

    // Null stands for an acknowledgement of all that is applied by the time it is sent.
    readonly Channel<byte[]?> _queue = Channel.CreateBounded<byte[]?>(new BoundedChannelOptions(MaxQueued) { SingleReader = true });
    readonly Lock _acknowledgedLock = new();
    readonly List<StampInterval> _acknowledged = [];    // under its lock: applied, and the peer is yet to be told
    long _queuedBytes;              // added to by the commit loop, taken from by the sender
    long _unhandledBytes;           // added to by the receiver, taken from by the commit loop
    Exception? _failure;            // written by the commit loop
    bool _isLagging;                // used by the commit loop alone

    public byte Peer { get; } = peer;

    public RpcStream Stream { get; } = stream;

    /// <summary>The session's id in the replica, once it is open.</summary>
    public long Session { get; set; }

    /// <summary>What the peer sent that was refused: the session ends.</summary>
    public Exception? Failure => Volatile.Read(ref _failure);

    /// <summary>Whether so much of what came has not been worked on that no more should be read.</summary>
    public bool HasTooMuchUnhandled => Interlocked.Read(ref _unhandledBytes) > MaxUnhandledBytes;

    /// <summary>So many bytes came, or were worked on if negative.</summary>
    public void AddUnhandled(int bytes) => Interlocked.Add(ref _unhandledBytes, bytes);

    /// <summary>Queues a message; drops it if the peer is too far behind. Called on the commit loop.</summary>
    public void Post(ReplicaMessage message)
    {
        byte[] encoded = message.Encoded;
        bool isTaken = Interlocked.Read(ref _queuedBytes) + encoded.Length <= MaxQueuedBytes && _queue.Writer.TryWrite(encoded);
        if (isTaken)
            Interlocked.Add(ref _queuedBytes, encoded.Length);
        else if (!_isLagging)
            StoreLog.PeerLags(logger, Peer);
        _isLagging = !isTaken;
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
            if (!isDue && !_queue.Writer.TryWrite(null))
                _acknowledged.Clear();
        }
    }

    /// <summary>Sends what is queued until the link is closed or the stream breaks.</summary>
    public async Task SendAsync(CancellationToken cancellationToken)
    {
        // Whoever cancels closes the queue, too: to wait without the token costs nothing.
        while (await _queue.Reader.WaitToReadAsync(CancellationToken.None).ConfigureAwait(false))
        {
            while (_queue.Reader.TryRead(out byte[]? message))
            {
                Interlocked.Add(ref _queuedBytes, -(message?.Length ?? 0));
                await Stream.WriteAsync(message ?? TakeAcknowledgement().Encoded, cancellationToken).ConfigureAwait(false);
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

    /// <summary>The peer sent something that is refused: ends the session from this side.</summary>
    public void Fail(Exception failure)
    {
        Volatile.Write(ref _failure, failure);
        _queue.Writer.TryComplete(new InvalidDataException(failure.Message, failure));
    }

    public void Close() => _queue.Writer.TryComplete();
}
