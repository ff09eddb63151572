using Datacake.Crdt;
using Datacake.EventualConsistency.Diagnostics;
using Datacake.EventualConsistency.Options;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Sequencing;
using Datacake.EventualConsistency.Snapshots;
using Datacake.Storage;

namespace Datacake.EventualConsistency;

// Serial transactions.
public sealed partial class ReplicatedStore
{
    /// <summary>Gets the state of the serial transactions as this node sees it.</summary>
    public SerialStatus SerialStatus => _parts.Sequencing.Status;

    /// <summary>Gets the time for which this node has known no sequencer; zero if it knows one.</summary>
    internal TimeSpan TimeWithoutSequencer => _parts.Sequencing.TimeWithoutSequencer;

    /// <summary>
    /// Begins the serial transactions anew, because a majority of the voters is lost for good: this node becomes the only voter, and the other members follow it and
    /// become voters one by one. Decided transactions that only the lost voters had are lost. Retire the lost nodes first, and call it at one node only.
    /// </summary>
    /// <exception cref="InvalidOperationException">
    /// There is a sequencer, or a majority of the voters is in session, or another member has something that this node lacks, or a member is absent and not retired. The
    /// message says which, and what to do.
    /// </exception>
    /// <exception cref="TimeoutException">The store has not joined its cluster.</exception>
    /// <exception cref="ObjectDisposedException">The store is closed, or is closing.</exception>
    public async ValueTask RecoverSerialAsync(CancellationToken cancellationToken = default)
    {
        await WaitUntilJoinedAsync(cancellationToken).ConfigureAwait(false);
        bool isWhole = await _parts.Sequencing.RecoverAsync(cancellationToken).ConfigureAwait(false);
        StoreLog.SerialRecovered(_parts.Context.Logger, _node.Id);
        if (!isWhole)
            StoreLog.SerialRecoveredWithGap(_parts.Context.Logger, _node.Id);
    }

    /// <summary>True if this node knows serial keyspaces, so that serial transactions are used.</summary>
    internal bool HasSerialKeyspaces => _replica.Catalog.All.Any(static keyspace => keyspace.Policy == MergePolicy.Serial);

    /// <summary>Returns the level for writes to a keyspace: <see cref="Consistency.Serial"/> if only serial transactions may write to it; otherwise, the given level.</summary>
    internal Consistency LevelFor(string keyspace, Consistency level) => _replica.Catalog.Find(keyspace)?.Policy == MergePolicy.Serial ? Consistency.Serial : level;

    /// <summary>Commits a transaction in the sequence, and waits until this store has its effects.</summary>
    /// <returns>The result, with the numbers that were assigned.</returns>
    /// <exception cref="SerialConflictException">
    /// A condition does not hold, a value of a unique index is taken, or a number cannot be assigned; nothing was written.
    /// </exception>
    /// <exception cref="ArgumentException">The transaction has too much, or something that cannot be written serially; nothing was written.</exception>
    /// <exception cref="NotEnoughNodesException">A majority of the voters is not up; nothing was written.</exception>
    /// <exception cref="OutcomeUnknownException">The outcome could not be learned in time.</exception>
    /// <exception cref="TimeoutException">No sequencer was found in time, or the store has not joined its cluster yet; nothing was written.</exception>
    /// <exception cref="StoreExcludedException">The store is no longer part of its cluster; nothing was written.</exception>
    /// <exception cref="OperationCanceledException">The call was canceled before the transaction was sent; nothing was written.</exception>
    /// <exception cref="CommitCanceledException">The call was canceled when the transaction was decided, and before its effects were here.</exception>
    internal async ValueTask<CommitResult> CommitSerialAsync(SerialTransaction transaction, CancellationToken cancellationToken)
    {
        await WaitUntilJoinedAsync(cancellationToken).ConfigureAwait(false);
        if (_remote is not null)
            return await CommitAtMemberAsync(transaction, Consistency.Serial, cancellationToken).ConfigureAwait(false);
        if (_replica.Exclusion is { } exclusion)
            throw new StoreExcludedException(_node.Id, SettingNames.ForStore(exclusion.Reason, Name));
        if (_replica.IsLeaving)
            throw Replica.NewLeavingError(_node.Id);
        return await _parts.Sequencing.CommitAsync(transaction, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Waits until reads of this store show everything serial that was committed before the call, on any node.</summary>
    /// <exception cref="NotEnoughNodesException">A majority of the voters is not up.</exception>
    /// <exception cref="TimeoutException">The sequencer did not answer in time, or the effects did not arrive.</exception>
    internal ValueTask PassBarrierAsync(CancellationToken cancellationToken) => CatchUpAsync(Consistency.Serial, cancellationToken);

    /// <summary>
    /// Opens a view of a state of the sequence that is not older than the call: it shows everything serial up to some transaction, and nothing after it. A view that is
    /// opened otherwise may show one of two recent transactions without the one before it, which is still on its way [S7].
    /// </summary>
    /// <exception cref="NotEnoughNodesException">A majority of the voters is not up.</exception>
    /// <exception cref="TimeoutException">The sequencer did not answer in time, or the effects did not arrive.</exception>
    /// <exception cref="StorageException">The store cannot be read.</exception>
    internal async ValueTask<StoreSnapshot> OpenSerialSnapshotAsync(CancellationToken cancellationToken)
    {
        await PassBarrierAsync(cancellationToken).ConfigureAwait(false);
        using var deadline = new CancellationTokenSource(ReplicatedStoreOptions.ToTimer(_options.AcknowledgmentTimeout), _node.TimeProvider);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        while (true)
        {
            // What is known before the snapshot is opened is in it.
            var known = _membership.Current.Known;
            var snapshot = await OpenPresentSnapshotAsync(cancellationToken).ConfigureAwait(false);
            VersionVector earlier;
            try
            {
                earlier = await snapshot.GetAsync(SerialPosition.Keyspace, SerialPosition.Key, cancellationToken).ConfigureAwait(false) is { } position
                    ? SerialPosition.Of(position) : VersionVector.Empty;
            }
            catch (Exception)
            {
                snapshot.Dispose();
                throw;
            }
            if (known.Covers(earlier))
                return snapshot;
            snapshot.Dispose();
            try
            {
                await _parts.Waiters.WaitAsync(() => _membership.Current.Known.Covers(earlier), linked.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                throw new TimeoutException(
                    $"A serial read found a later transaction without an earlier one, which did not arrive within {_options.AcknowledgmentTimeout.TotalSeconds:0.###} s. Retry.");
            }
        }
    }

    async ValueTask<Document?[]> ReadSerialAsync(string keyspace, IReadOnlyList<DocumentKey> keys, CancellationToken cancellationToken)
    {
        using var snapshot = await OpenSerialSnapshotAsync(cancellationToken).ConfigureAwait(false);
        return await ReadAllAsync(snapshot, keyspace, keys, cancellationToken).ConfigureAwait(false);
    }

    static async ValueTask<Document?[]> ReadAllAsync(StoreSnapshot snapshot, string keyspace, IReadOnlyList<DocumentKey> keys, CancellationToken cancellationToken)
    {
        var documents = new Document?[keys.Count];
        for (int i = 0; i < documents.Length; i++)
            documents[i] = await snapshot.GetAsync(keyspace, keys[i], cancellationToken).ConfigureAwait(false);
        return documents;
    }
}
