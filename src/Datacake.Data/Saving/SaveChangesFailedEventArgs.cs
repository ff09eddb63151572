namespace Datacake.Data;

/// <summary>A save has failed.</summary>
/// <param name="exception">Why; the caller of the save gets it, too.</param>
public sealed class SaveChangesFailedEventArgs(Exception exception) : EventArgs
{
    /// <summary>Why; the caller of the save gets it, too.</summary>
    public Exception Exception { get; } = exception;
}
