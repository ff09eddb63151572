using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Membership;

/// <summary>Tells what became of a stream with a peer.</summary>
/// <param name="WasOpen">True if a session was open.</param>
/// <param name="Reason">Why there is no session or no longer one, as a clause for a message.</param>
/// <param name="IsLasting">True if it is likely that the next attempt ends in the same way.</param>
/// <param name="IsQuiet">True if it is part of the ordinary course of things and worth no line in a log.</param>
/// <param name="Failure">The exception, if there was one.</param>
readonly record struct SessionOutcome(bool WasOpen, string Reason, bool IsLasting = false, bool IsQuiet = false, Exception? Failure = null)
{
    /// <summary>Returns the outcome of a refusal by the peer.</summary>
    public static SessionOutcome OfPeers(Refusal refusal, bool wasOpen) =>
        new(wasOpen, $"it refuses the session: {refusal.Reason}", IsLasting: !refusal.IsQuiet, refusal.IsQuiet);

    /// <summary>Returns the outcome of a refusal by this node.</summary>
    public static SessionOutcome OfThis(Refusal refusal, bool wasOpen = false) =>
        new(wasOpen, $"this node refuses the session: {refusal.Reason}", IsLasting: !refusal.IsQuiet, refusal.IsQuiet);
}
