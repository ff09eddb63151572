using Datacake.Node;

namespace Datacake.Data;

/// <summary>A save is about to look for changes.</summary>
/// <param name="consistency">The level of the save.</param>
public sealed class SavingChangesEventArgs(Consistency consistency) : EventArgs
{
    /// <summary>The level of the save.</summary>
    public Consistency Consistency { get; } = consistency;
}
