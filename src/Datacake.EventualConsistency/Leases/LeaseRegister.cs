using Datacake.Crdt;
using Datacake.EventualConsistency.Diagnostics;
using Datacake.EventualConsistency.Sequencing;
using Microsoft.Extensions.Logging;

namespace Datacake.EventualConsistency.Leases;

/// <summary>The documents of leases: reads them, and writes them by serial transactions that the last known content is a condition of.</summary>
/// <param name="Read">Reads the document of a key as of now.</param>
/// <param name="Commit">Commits a serial transaction.</param>
/// <param name="Watch">Watches the changes of the documents in this store.</param>
/// <param name="TokenFloor">
/// Returns the number that new tokens are greater than. It grows when the sequence is founded anew, because the tokens that only lost voters knew are then unknown.
/// </param>
/// <param name="Patience">The maximum time for which a read or a write waits for the sequencer.</param>
/// <param name="Time">The clock of the node.</param>
/// <param name="Logger">The logger of the store.</param>
sealed record LeaseRegister(
    Func<DocumentKey, CancellationToken, ValueTask<Document?>> Read,
    Func<SerialTransaction, CancellationToken, ValueTask<CommitResult>> Commit,
    Func<CancellationToken, IAsyncEnumerable<DocumentChanges>> Watch,
    Func<long> TokenFloor,
    TimeSpan Patience,
    TimeProvider Time,
    ILogger Logger)
{
    /// <summary>The reserved keyspace of the documents.</summary>
    public const string Keyspace = "datacake.leases";

    static readonly TimeSpan ResolveDelay = TimeSpan.FromMilliseconds(50);

    public async ValueTask<LeaseRecord?> ReadAsync(DocumentKey key, CancellationToken cancellationToken) =>
        LeaseRecord.Of(await Read(key, cancellationToken).ConfigureAwait(false));

    /// <summary>Replaces a record. Returns false if it is no longer as the caller has seen it, and then nothing was or will be written.</summary>
    /// <exception cref="OutcomeUnknownException">The call was canceled, and the record may be written.</exception>
    /// <exception cref="OperationCanceledException">The call was canceled. Nothing was written.</exception>
    /// <exception cref="NotEnoughNodesException">A majority of the voters is not up. Nothing was written.</exception>
    /// <exception cref="TimeoutException">No sequencer was found in time. Nothing was written.</exception>
    public async Task<bool> WriteAsync(DocumentKey key, LeaseRecord? before, LeaseRecord after, CancellationToken cancellationToken)
    {
        var transaction = new Transaction();
        transaction.Put(Keyspace, key, after.Content);
        try
        {
            await Commit(new SerialTransaction(transaction, [new SerialCondition(Keyspace, key, before?.Hash)]), cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (SerialConflictException)
        {
            return false;
        }
        catch (CommitCanceledException)
        {
            return true;
        }
        catch (OutcomeUnknownException e) when (!cancellationToken.IsCancellationRequested)
        {
            return await ResolveAsync(e, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Waits until the outcome of a write is known, and returns it as <see cref="WriteAsync"/> does.</summary>
    /// <exception cref="OutcomeUnknownException">The call was canceled, and the outcome is still unknown.</exception>
    /// <exception cref="ObjectDisposedException">The store is closed.</exception>
    public async Task<bool> ResolveAsync(OutcomeUnknownException unknown, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await unknown.ResolveAsync(cancellationToken).ConfigureAwait(false);
                return true;
            }
            catch (SerialConflictException)
            {
                return false;
            }
            catch (CommitCanceledException)
            {
                return true;
            }
            catch (Exception e) when (e is OutcomeUnknownException or NotEnoughNodesException or TimeoutException or OperationCanceledException)
            {
                // The transaction was sent before, so no failure of this attempt says that it will not take effect.
            }
            await Task.Delay(ResolveDelay, Time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (cancellationToken.IsCancellationRequested)
                throw unknown;
        }
    }

    /// <summary>Releases a lease, if that is possible in time; otherwise, it expires. Does not throw.</summary>
    /// <param name="key">The key of the lease.</param>
    /// <param name="name">The name of the lease.</param>
    /// <param name="held">The last record that the holder knows to be written.</param>
    /// <param name="pending">A write of the holder after that, whose outcome is unknown.</param>
    /// <param name="limit">The maximum time for the release.</param>
    public async Task ReleaseAsync(DocumentKey key, string name, LeaseRecord? held, (OutcomeUnknownException Unknown, LeaseRecord Record)? pending, TimeSpan limit)
    {
        using var deadline = new CancellationTokenSource(limit, Time);
        try
        {
            if (pending is var (unknown, record))
                held = await ResolveAsync(unknown, deadline.Token).ConfigureAwait(false) ? record : null;
            if (held is not null)
                await WriteAsync(key, held, held.Released(), deadline.Token).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            // A failure of the cluster is told by its message; a stack trace would look like a fault of the program.
            bool isOfCluster = e is NotEnoughNodesException or OutcomeUnknownException or TimeoutException or OperationCanceledException or StoreExcludedException or ObjectDisposedException;
            string reason = e is OperationCanceledException ? $"the sequencer did not confirm the release within {limit.TotalSeconds:0.###} s" : e.Message.TrimEnd('.');
            StoreLog.LeaseNotReleased(Logger, isOfCluster ? null : e, name, reason);
        }
    }
}
