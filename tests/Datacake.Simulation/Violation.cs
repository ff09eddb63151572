namespace Datacake.Simulation;

/// <summary>An invariant of the protocol that a history broke.</summary>
sealed class Violation : Exception
{
    public Violation(string invariant, string text, Exception? cause = null)
        : base($"{invariant}: {text}", cause) => Invariant = invariant;

    /// <summary>Which of the invariants.</summary>
    public string Invariant { get; }
}
