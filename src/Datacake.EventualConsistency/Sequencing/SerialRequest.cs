using Datacake.Crdt;
using Datacake.EventualConsistency.Sequencing.Messages;

namespace Datacake.EventualConsistency.Sequencing;

/// <summary>A request of this node that waits for its outcome: a transaction, or a barrier. Only its outcome may be read by any thread.</summary>
sealed class SerialRequest
{
    readonly List<Action<SerialRequest>> _waiting = [];
    volatile SequencerReply? _reply;

    /// <summary>Gets the message, which is the same in each attempt.</summary>
    public required SequencingMessage Message { get; init; }

    /// <summary>Gets the identity of the transaction; null for a barrier.</summary>
    public TransactionId? Id { get; init; }

    /// <summary>Gets the number under which replies are recognized.</summary>
    public ulong Attempt => Message is CommitRequest commit ? commit.Attempt : ((BarrierRequest)Message).Attempt;

    /// <summary>Gets or sets the time at which the request is sent again or, if nobody waits for it any more, is forgotten.</summary>
    public long DueAt { get; set; }

    /// <summary>True if the request was sent at least once, so that it may take effect.</summary>
    public bool IsSent { get; set; }

    /// <summary>Gets or sets the error with which the last attempt failed on this node; null if it did not.</summary>
    public Exception? Failure { get; set; }

    /// <summary>True if a caller waits for the outcome.</summary>
    public bool IsAwaited => _waiting.Count > 0;

    /// <summary>Gets the outcome; null while there is none.</summary>
    public SerialOutcome? Outcome => _reply?.Outcome;

    /// <summary>Gets the stamps that the store must know to have what the outcome implies.</summary>
    public VersionVector Token => _reply?.Token ?? VersionVector.Empty;

    /// <summary>Gets the reason for which the transaction was refused; null if it was not.</summary>
    public SerialRefusal? Refusal => _reply?.Refusal;

    /// <summary>Gets the numbers that the transaction was assigned, in order.</summary>
    public IReadOnlyList<long> Numbers => _reply?.Numbers ?? [];

    /// <summary>Gets or sets the node that has answered.</summary>
    public byte Node { get; set; }

    /// <summary>Gets or sets the session in which it has answered.</summary>
    public long Session { get; set; }

    /// <summary>True if the store knew the token when the answer came.</summary>
    public bool IsKnown { get; set; }

    /// <summary>Adds a callback for the outcome. It is called after a commit, and must be fast.</summary>
    public void Await(Action<SerialRequest> onEnded) => _waiting.Add(onEnded);

    /// <summary>Removes a callback.</summary>
    public void Leave(Action<SerialRequest> onEnded) => _waiting.Remove(onEnded);

    /// <summary>Ends the request with its outcome, and tells all that wait for it.</summary>
    public void End(SequencerReply reply)
    {
        _reply = reply;
        foreach (var onEnded in _waiting)
            onEnded(this);
        _waiting.Clear();
    }
}
