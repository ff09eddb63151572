namespace Datacake.Data;

/// <summary>The data of the <see cref="DatacakeContext.SaveChangesFailed"/> event.</summary>
/// <param name="exception">The exception, which the caller of the save also gets.</param>
public sealed class SaveChangesFailedEventArgs(Exception exception) : EventArgs
{
    /// <summary>Gets the exception, which the caller of the save also gets.</summary>
    public Exception Exception { get; } = exception;
}
