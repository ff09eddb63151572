using Datacake.EventualConsistency;

namespace Datacake.Data;

/// <summary>The data of the <see cref="DatacakeContext.SavingChanges"/> event.</summary>
/// <param name="consistency">The consistency level of the save.</param>
public sealed class SavingChangesEventArgs(Consistency consistency) : EventArgs
{
    /// <summary>Gets the consistency level of the save.</summary>
    public Consistency Consistency { get; } = consistency;
}
