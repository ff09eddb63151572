namespace Datacake.Node;

/// <summary>
/// The node cannot take part in the cluster: its id is in use by a node that runs, or the seeds are of another cluster. The message
/// names both sides.
/// </summary>
public sealed class ClusterRefusedException : Exception
{
    /// <summary>Creates the exception.</summary>
    public ClusterRefusedException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
