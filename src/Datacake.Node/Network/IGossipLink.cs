using Datacake.Node.Gossip;

namespace Datacake.Node;

/// <summary>Takes in a message, and says what came of it.</summary>
/// <param name="message">The bytes, valid during the call.</param>
/// <param name="peer">The sender, for logs: the address that was dialed, or the host that dialed.</param>
delegate GossipReceipt GossipReceiver(ReadOnlySpan<byte> message, string peer);

/// <summary>The outcome of a message that was received.</summary>
/// <param name="Reply">The reply, empty if there is none.</param>
/// <param name="Outcome">How the exchange ends, if the message is the answer to one.</param>
/// <param name="IsAnswer">True if the message answers an exchange that this node opened, or comes from this node itself.</param>
/// <param name="Sender">The sender; null if it did not say who it is.</param>
/// <param name="Exchange">The number of the exchange that it belongs to; 0 if it names none.</param>
readonly record struct GossipReceipt(
    byte[] Reply, ExchangeOutcome Outcome, bool IsAnswer = false, GossipId? Sender = null, ulong Exchange = 0);

/// <summary>How an exchange ended.</summary>
enum ExchangeOutcome
{
    /// <summary>The other could not be reached, did not answer in time, or has nothing to say.</summary>
    Silent,

    /// <summary>The other answered.</summary>
    Answered,

    /// <summary>The two have nothing to talk about.</summary>
    Refused,

    /// <summary>The other end is this node.</summary>
    Itself,
}

/// <summary>An exchange that this node opened, from its end.</summary>
/// <param name="Outcome">How it ended.</param>
/// <param name="Peer">Who answered; null if nobody did, or one that does not say who it is.</param>
/// <param name="Failure">Why nobody answered; null if somebody did.</param>
readonly record struct ExchangeResult(ExchangeOutcome Outcome, GossipId? Peer = null, string? Failure = null);

/// <summary>Carries gossip between nodes.</summary>
interface IGossipLink : IAsyncDisposable
{
    /// <summary>The most bytes of one message.</summary>
    int MaxMessageLength { get; }

    /// <summary>Begins to hand over what comes in.</summary>
    void Open(GossipReceiver receiver);

    /// <summary>
    /// Opens an exchange, and sees it through. Does not throw where the network fails: that is an outcome.
    /// </summary>
    /// <param name="target">The address to dial.</param>
    /// <param name="exchange">The number in the opening message, which the answer repeats.</param>
    /// <param name="syn">The opening message.</param>
    /// <param name="cancellationToken">Gives up, which counts as silence.</param>
    Task<ExchangeResult> ExchangeAsync(GossipTarget target, ulong exchange, byte[] syn, CancellationToken cancellationToken);
}
