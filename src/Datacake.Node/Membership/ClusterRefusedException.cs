namespace Datacake.Node;

/// <summary>
/// The exception that is thrown when a node cannot take part in the cluster: another running node uses its id, its store was retired, or
/// its seeds belong to another cluster. The message names both nodes.
/// </summary>
public sealed class ClusterRefusedException : Exception
{
    /// <summary>Creates the exception.</summary>
    public ClusterRefusedException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
