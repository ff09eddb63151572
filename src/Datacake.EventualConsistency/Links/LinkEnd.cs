using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Links;

/// <summary>The way in which this side ends a session.</summary>
/// <param name="Reason">The reason, as a clause for a message.</param>
/// <param name="Refusal">The last message to the peer, or <see langword="null"/> for none.</param>
/// <param name="Failure">The error in what the peer sent, or <see langword="null"/>.</param>
sealed record LinkEnd(string Reason, Refusal? Refusal = null, Exception? Failure = null)
{
    /// <summary>Returns the end of a session in which the peer sent something invalid.</summary>
    public static LinkEnd OfInvalid(Exception failure)
    {
        string reason = failure.Message.TrimEnd('.');
        return new LinkEnd(reason, new Refusal(RefusalKind.Other, reason), failure);
    }
}
