using Datacake.Node.Gossip;

namespace Datacake.Node.Network;

/// <summary>A method that handles a received message and returns the outcome.</summary>
/// <param name="message">The bytes of the message, which are valid only during the call.</param>
/// <param name="peer">The sender, for logs: the address that this node dialed, or the host that dialed this node.</param>
delegate GossipReceipt GossipReceiver(ReadOnlySpan<byte> message, string peer);

/// <summary>The outcome of a received message.</summary>
/// <param name="Reply">The reply; empty if there is none.</param>
/// <param name="Outcome">The outcome of the exchange, if the message is the answer to one.</param>
/// <param name="IsAnswer">True if the message answers an exchange that this node opened, or comes from this node itself.</param>
/// <param name="Sender">The sender; null if the message does not name one.</param>
/// <param name="Exchange">The number of the exchange that the message belongs to; 0 if the message has none.</param>
readonly record struct GossipReceipt(
    byte[] Reply, ExchangeOutcome Outcome, bool IsAnswer = false, GossipId? Sender = null, ulong Exchange = 0);

/// <summary>The outcome of an exchange.</summary>
enum ExchangeOutcome
{
    /// <summary>An exchange without an answer: the peer could not be reached, did not answer in time, or had nothing to say.</summary>
    Silent,

    /// <summary>An exchange that the peer answered.</summary>
    Answered,

    /// <summary>An exchange that one of the two nodes refused.</summary>
    Refused,

    /// <summary>An exchange of this node with itself.</summary>
    Itself,
}

/// <summary>The result of an exchange that this node opened.</summary>
/// <param name="Outcome">The outcome of the exchange.</param>
/// <param name="Peer">The node that answered; null if none did, or if the answer does not name its sender.</param>
/// <param name="Failure">The reason why no node answered; null if one did.</param>
readonly record struct ExchangeResult(ExchangeOutcome Outcome, GossipId? Peer = null, string? Failure = null);

/// <summary>A transport of gossip messages between nodes.</summary>
interface IGossipLink : IAsyncDisposable
{
    /// <summary>Gets the maximum length of a message in bytes.</summary>
    int MaxMessageLength { get; }

    /// <summary>Starts to pass received messages to a receiver.</summary>
    void Open(GossipReceiver receiver);

    /// <summary>
    /// Opens an exchange and waits for its end. Network failures do not throw; they are part of the result.
    /// </summary>
    /// <param name="target">The address to dial.</param>
    /// <param name="exchange">The number in the opening message, which the answer repeats.</param>
    /// <param name="syn">The opening message.</param>
    /// <param name="cancellationToken">Cancels the exchange, which then counts as unanswered.</param>
    Task<ExchangeResult> ExchangeAsync(GossipTarget target, ulong exchange, byte[] syn, CancellationToken cancellationToken);
}
