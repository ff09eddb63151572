using System.Net;

namespace Datacake.Node;

/// <summary>Takes in a message and returns the reply, empty if there is none.</summary>
/// <param name="message">The bytes, valid during the call.</param>
/// <param name="peer">Who sent it, for logs.</param>
/// <param name="isRefused">True if the two have nothing to talk about.</param>
delegate byte[] GossipReceiver(ReadOnlySpan<byte> message, string peer, out bool isRefused);

/// <summary>How an exchange ended.</summary>
enum ExchangeOutcome
{
    /// <summary>The other could not be reached, did not answer in time, or has nothing to say.</summary>
    Silent,

    /// <summary>The other answered.</summary>
    Answered,

    /// <summary>The two have nothing to talk about.</summary>
    Refused,
}

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
    /// <param name="target">The identity's address.</param>
    /// <param name="address">How the node there is called, by name if it has one.</param>
    /// <param name="syn">The opening message.</param>
    /// <param name="cancellationToken">Gives up, which counts as silence.</param>
    Task<ExchangeOutcome> ExchangeAsync(IPEndPoint target, string address, byte[] syn, CancellationToken cancellationToken);
}
