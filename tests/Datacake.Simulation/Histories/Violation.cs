namespace Datacake.Simulation.Histories;

/// <summary>The exception for a history that breaks an invariant of the protocol.</summary>
sealed class Violation : Exception
{
    public Violation(string invariant, string text, Exception? cause = null)
        : base($"{invariant}: {text}", cause) => Invariant = invariant;

    /// <summary>Gets the name of the invariant.</summary>
    public string Invariant { get; }

    /// <summary>Gets or sets the state of the machines when the violation was found.</summary>
    public string Machines { get; set; } = "";
}
