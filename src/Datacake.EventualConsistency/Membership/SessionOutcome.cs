using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Membership;

/// <summary>The outcome of a stream with a peer.</summary>
/// <param name="WasOpen">True if a session was open.</param>
/// <param name="Reason">The reason why there is no session, or no longer one, as a clause for a message.</param>
/// <param name="IsLasting">True if the next attempt is likely to end in the same way.</param>
/// <param name="IsQuiet">True if the outcome is part of the ordinary course and not worth logging.</param>
/// <param name="Failure">The exception, if there was one.</param>
/// <param name="IsFinal">True if every further attempt ends in the same way until the peer starts again with another store, because its store is retired.</param>
readonly record struct SessionOutcome(bool WasOpen, string Reason, bool IsLasting = false, bool IsQuiet = false, Exception? Failure = null, bool IsFinal = false)
{
    /// <summary>Returns the outcome of a refusal by the peer.</summary>
    public static SessionOutcome OfPeers(Refusal refusal, bool wasOpen) =>
        new(wasOpen, $"it refuses the session: {refusal.Reason}", IsLasting: !refusal.IsQuiet, refusal.IsQuiet, IsFinal: refusal.Kind == RefusalKind.SenderIsRetired);

    /// <summary>Returns the outcome of a refusal by this node.</summary>
    public static SessionOutcome OfThis(Refusal refusal, bool wasOpen = false) =>
        new(wasOpen, $"this node refuses the session: {refusal.Reason}", IsLasting: !refusal.IsQuiet, refusal.IsQuiet, IsFinal: refusal.Kind == RefusalKind.Retired);
}
