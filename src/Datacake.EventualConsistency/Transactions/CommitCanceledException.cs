using Datacake.Crdt;

namespace Datacake.EventualConsistency;

/// <summary>
/// The wait for acknowledgements was cancelled. The transaction was committed locally before: it stays, goes on replicating, and need not be repeated.
/// </summary>
public sealed class CommitCanceledException : OperationCanceledException
{
    /// <summary>Creates the exception.</summary>
    public CommitCanceledException(HlcTimestamp stamp, Exception innerException, CancellationToken cancellationToken)
        : base($"The wait for acknowledgements of the transaction {stamp} was cancelled. It is committed here and goes on replicating: do not repeat it.", innerException,
            cancellationToken) =>
        Stamp = stamp;

    /// <summary>The transaction's stamp.</summary>
    public HlcTimestamp Stamp { get; }
}
