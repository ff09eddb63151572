namespace Datacake.EventualConsistency;

/// <summary>Extension methods that get the session token of a write that too few replicas have acknowledged.</summary>
public static class ConsistencyExceptionExtensions
{
    /// <summary>
    /// Returns the token with which another node, or a later read, waits until it has the write; <see langword="null"/> if a read has
    /// failed.
    /// </summary>
    public static SessionToken? GetToken(this ConsistencyException exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        return exception.Stamp is { } stamp ? new SessionToken(stamp) : null;
    }
}
