using Datacake.EventualConsistency.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Datacake.EventualConsistency.Membership;

/// <summary>
/// The reasons why there is no session with a peer, for the log and for callers. A condition is logged when it begins, when its reason
/// changes, rarely while it lasts, and when it ends. Thread-safe.
/// </summary>
/// <param name="time">The clock.</param>
/// <param name="addressOf">Returns the address that a node advertises, or <see langword="null"/> if it is not known.</param>
/// <param name="logger">The log.</param>
sealed class PeerConditions(TimeProvider time, Func<byte, string?> addressOf, ILogger logger)
{
    const int MaxLoggedReasons = 8;

    /// <summary>
    /// The number of failed connections in a row up to which none is logged. After a planned stop, they last about a second, until gossip
    /// reports the stop.
    /// </summary>
    const int MaxUnloggedFailures = 4;

    static readonly TimeSpan Reminder = TimeSpan.FromMinutes(10);

    readonly Lock _lock = new();
    readonly Dictionary<byte, Condition> _conditions = [];      // under the lock

    sealed class Condition
    {
        public int Attempts { get; set; }

        public string Reason { get; set; } = "";

        /// <summary>
        /// Gets the logged reasons. Each refusal is a reason of its own; all failed connections are one reason, whatever the error.
        /// </summary>
        public HashSet<string> Logged { get; } = [];

        public long LastLogged { get; set; }
    }

    /// <summary>
    /// Returns the reason why the last attempt to open a session with a peer failed, or <see langword="null"/> if it did not fail.
    /// </summary>
    public string? ReasonOf(byte peer)
    {
        lock (_lock)
            return _conditions.GetValueOrDefault(peer)?.Reason;
    }

    /// <summary>Records that an attempt to open a session with a peer failed.</summary>
    public void OnFailed(byte peer, SessionOutcome outcome)
    {
        if (outcome.IsQuiet)
            return;
        int attempts;
        bool isNew, isDue;
        lock (_lock)
        {
            if (!_conditions.TryGetValue(peer, out var condition))
                _conditions.Add(peer, condition = new Condition());
            attempts = ++condition.Attempts;
            condition.Reason = outcome.Reason;
            string kind = outcome.IsLasting ? outcome.Reason : "";
            isNew = (outcome.IsLasting || attempts > MaxUnloggedFailures) && condition.Logged.Count < MaxLoggedReasons && condition.Logged.Add(kind);
            isDue = !isNew && condition.Logged.Count > 0 && time.GetElapsedTime(condition.LastLogged) > Reminder;
            if (isNew || isDue)
                condition.LastLogged = time.GetTimestamp();
        }
        if (isDue)
            StoreLog.StillNoSession(logger, peer, AddressOf(peer), attempts, outcome.Reason);
        else if (isNew && outcome.IsLasting)
            StoreLog.SessionRefused(logger, outcome.Failure, peer, AddressOf(peer), outcome.Reason);
        else if (isNew)
            StoreLog.NoSession(logger, peer, AddressOf(peer), outcome.Reason);
    }

    /// <summary>Records that a session with a peer is open.</summary>
    public void OnOpened(byte peer)
    {
        Condition? condition;
        lock (_lock)
            _conditions.Remove(peer, out condition);
        if (condition is { Logged.Count: > 0 })
            StoreLog.SessionReopened(logger, peer, AddressOf(peer), condition.Attempts);
        else
            StoreLog.SessionOpened(logger, peer, AddressOf(peer));
    }

    /// <summary>Records that an open session with a peer has ended.</summary>
    public void OnEnded(byte peer, SessionOutcome outcome)
    {
        if (outcome.IsLasting)
            OnFailed(peer, outcome);
        else if (!outcome.IsQuiet)
            StoreLog.SessionEnded(logger, peer, AddressOf(peer), outcome.Reason);
    }

    /// <summary>Forgets a member that is no longer dialed.</summary>
    public void Forget(byte peer)
    {
        lock (_lock)
            _conditions.Remove(peer);
    }

    string AddressOf(byte peer) => addressOf(peer) ?? "an unknown address";
}
