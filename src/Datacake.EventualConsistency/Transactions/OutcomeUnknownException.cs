namespace Datacake.EventualConsistency;

/// <summary>
/// The exception that is thrown when the outcome of a serial transaction could not be learned in time: it was sent, and it may take effect or be refused, but
/// never both, and at most once.
/// </summary>
public sealed class OutcomeUnknownException : Exception
{
    readonly Func<CancellationToken, Task<CommitResult>> _resolve;

    internal OutcomeUnknownException(string reason, Exception? cause, Func<CancellationToken, Task<CommitResult>> resolve)
        : base($"{reason} The transaction was sent, and may take effect. Do not repeat it; {nameof(ResolveAsync)} finds out what became of it.", cause) =>
        _resolve = resolve;

    /// <summary>
    /// Waits until the outcome is known: asks the sequencer for the transaction under its old identity. If the transaction has not reached any sequencer, it is
    /// committed now, if its conditions still hold.
    /// </summary>
    /// <returns>The result of the commit.</returns>
    /// <exception cref="OutcomeUnknownException">The outcome could not be learned in time this time either.</exception>
    /// <exception cref="NotEnoughNodesException">A majority of the voters is not up. The outcome stays unknown.</exception>
    /// <exception cref="ObjectDisposedException">The store is closed. The outcome cannot be learned any more.</exception>
    public Task<CommitResult> ResolveAsync(CancellationToken cancellationToken = default) => _resolve(cancellationToken);
}
