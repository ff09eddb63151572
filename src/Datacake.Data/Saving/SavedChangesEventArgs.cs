namespace Datacake.Data;

/// <summary>The data of the <see cref="DatacakeContext.SavedChanges"/> event.</summary>
/// <param name="result">The result of the save.</param>
public sealed class SavedChangesEventArgs(SaveResult result) : EventArgs
{
    /// <summary>Gets the result of the save.</summary>
    public SaveResult Result { get; } = result;
}
