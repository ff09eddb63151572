using Datacake.Crdt;
using Datacake.EventualConsistency.Sequencing.Messages;

namespace Datacake.EventualConsistency.Sequencing;

/// <summary>A request of this node that waits for its outcome: a transaction, or a barrier.</summary>
sealed class SerialRequest
{
    /// <summary>Gets the message, which is the same in each attempt.</summary>
    public required SequencingMessage Message { get; init; }

    /// <summary>Gets or sets the callback for the outcome. It is called after a commit, and must be fast.</summary>
    public required Action<SerialRequest> OnEnded { get; set; }

    /// <summary>Gets the identity of the transaction; null for a barrier.</summary>
    public TransactionId? Id { get; init; }

    /// <summary>Gets or sets the time at which the request is sent again.</summary>
    public long DueAt { get; set; }

    /// <summary>True if the request was sent at least once, so that it may take effect.</summary>
    public bool IsSent { get; set; }

    /// <summary>Gets the outcome; null while there is none.</summary>
    public SerialOutcome? Outcome { get; set; }

    /// <summary>Gets the stamps that the store must know to have what the outcome implies.</summary>
    public VersionVector Token { get; set; } = VersionVector.Empty;

    /// <summary>Gets or sets the reason for which the transaction was refused; null if it was not.</summary>
    public SerialRefusal? Refusal { get; set; }

    /// <summary>Gets or sets the numbers that the transaction was assigned, in order.</summary>
    public IReadOnlyList<long> Numbers { get; set; } = [];
}
