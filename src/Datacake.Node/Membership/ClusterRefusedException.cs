namespace Datacake.Node;

/// <summary>
/// The node cannot take part in the cluster: its id is in use by a node that runs, its store was retired, or the seeds belong to another cluster. The message
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
