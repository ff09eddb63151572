using Datacake.Crdt;

namespace Datacake.EventualConsistency;

/// <summary>
/// The exception that is thrown when the wait for acknowledgments is canceled. The transaction was already committed locally: it is kept,
/// continues to replicate, and need not be repeated.
/// </summary>
public sealed class CommitCanceledException : OperationCanceledException
{
    /// <summary>Creates the exception.</summary>
    public CommitCanceledException(HlcTimestamp stamp, Exception innerException, CancellationToken cancellationToken)
        : base($"The wait for acknowledgments of the transaction {stamp} was canceled. It is committed here and continues to replicate. Do not repeat it.", innerException,
            cancellationToken) =>
        Stamp = stamp;

    /// <summary>Gets the transaction's stamp.</summary>
    public HlcTimestamp Stamp { get; }

    /// <summary>Gets the numbers that a serial transaction was assigned, in the order in which it asked for them.</summary>
    internal IReadOnlyList<long> Numbers { get; init; } = [];

    /// <summary>Gets the token with which another node, or a later read, waits until it has this transaction.</summary>
    public SessionToken Token => new(Stamp);
}
