using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Links;

/// <summary>Says how this side ends a session.</summary>
/// <param name="Reason">Why, as a clause for a message.</param>
/// <param name="Refusal">The last message to the peer, or <see langword="null"/> for none.</param>
/// <param name="Failure">What the peer sent that was refused, or <see langword="null"/>.</param>
sealed record LinkEnd(string Reason, Refusal? Refusal = null, Exception? Failure = null)
{
    /// <summary>Returns the end of a session in which the peer sent something invalid.</summary>
    public static LinkEnd OfInvalid(Exception failure)
    {
        string reason = failure.Message.TrimEnd('.');
        return new LinkEnd(reason, new Refusal(RefusalKind.Other, reason), failure);
    }
}
