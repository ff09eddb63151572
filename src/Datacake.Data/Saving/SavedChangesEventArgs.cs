namespace Datacake.Data;

/// <summary>A save has succeeded.</summary>
/// <param name="result">What it did.</param>
public sealed class SavedChangesEventArgs(SaveResult result) : EventArgs
{
    /// <summary>What it did.</summary>
    public SaveResult Result { get; } = result;
}
