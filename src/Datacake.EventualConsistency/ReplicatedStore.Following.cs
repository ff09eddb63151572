using Datacake.Crdt;
using Datacake.EventualConsistency.Remote;
using Datacake.EventualConsistency.Sequencing;
using Datacake.EventualConsistency.Transactions;

namespace Datacake.EventualConsistency;

// A store that follows: what it cannot do by itself is done by a member.
public sealed partial class ReplicatedStore
{
    /// <summary>Gets the state of a store that follows members of its cluster (<see cref="ReplicatedStoreOptions.IsFollower"/>); null for a member.</summary>
    public FollowStatus? FollowStatus => _parts.Source?.Status;

    /// <summary>Gets the number of followers that are connected to this member.</summary>
    public int Followers => _parts.Followers;

    /// <summary>Returns the addresses of followers that are connected to this member.</summary>
    internal IReadOnlyList<string> ListFollowers(int count) => _parts.ListFollowers(count);

    /// <summary>Gets the transactions that the store has.</summary>
    VersionVector Known => _membership.Current.Known;

    /// <summary>Returns what the store of a member does for stores that are none.</summary>
    MemberOperations OperationsForOthers() => new(
        (transaction, level) => level == Consistency.Serial ? CommitSerialAsync(transaction, CancellationToken.None) : CommitAsync(transaction.Effects, level, CancellationToken.None),
        async (level, token) =>
        {
            if (level != Consistency.None)
                await CatchUpAsync(level, token).ConfigureAwait(false);
            return Known;
        },
        () => Members, ExpectedNodes, _options.AcknowledgmentTimeout);

    /// <summary>Has a transaction committed by a member, and waits until the store has it.</summary>
    async ValueTask<CommitResult> CommitAtMemberAsync(Transaction transaction, Consistency consistency, CancellationToken cancellationToken)
    {
        TransactionCheck.Check(transaction, _options);
        await WaitUntilJoinedAsync(cancellationToken).ConfigureAwait(false);
        return await CommitAtMemberAsync(new SerialTransaction(transaction, await ReadConditionsAsync(transaction, cancellationToken).ConfigureAwait(false)), consistency, cancellationToken)
            .ConfigureAwait(false);
    }

    async ValueTask<CommitResult> CommitAtMemberAsync(SerialTransaction transaction, Consistency consistency, CancellationToken cancellationToken)
    {
        ThrowIfClosing();
        foreach (var operation in transaction.Effects.Operations)
        {
            if (_options.FollowedKeyspaces.Count > 0 && !_options.FollowedKeyspaces.Contains(operation.Keyspace))
            {
                throw new InvalidOperationException(
                    $"The follower does not have the keyspace '{operation.Keyspace}', so it cannot write there. Nothing was written. Add it to {nameof(ReplicatedStoreOptions.FollowedKeyspaces)}, or write at a member.");
            }
        }
        var result = await _remote!.CommitAsync(transaction, consistency, PolicyOf, cancellationToken).ConfigureAwait(false);
        using var deadline = new CancellationTokenSource(ReplicatedStoreOptions.ToTimer(_options.AcknowledgmentTimeout), _node.TimeProvider);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            // So that the caller reads what it has written.
            await WaitForAsync(result.Token, linked.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (cancellationToken.IsCancellationRequested)
        {
            throw new CommitCanceledException(result.Stamp, e, cancellationToken) { Numbers = result.Numbers };
        }
        catch (OperationCanceledException)
        {
            // It is committed. The store has it as soon as it is connected to a member again.
        }
        return result;

        MergePolicy PolicyOf(string keyspace) => _replica.Catalog.Find(keyspace)?.Policy ?? MergePolicy.LastWriterWins;
    }

    /// <summary>
    /// Checks the requirements of a transaction on this store, and returns them as conditions that the member can check: that the documents are as they are here. A
    /// member cannot call functions of another process.
    /// </summary>
    async ValueTask<IReadOnlyList<SerialCondition>> ReadConditionsAsync(Transaction transaction, CancellationToken cancellationToken)
    {
        if (transaction.Requirements.Count == 0)
            return [];
        var conditions = new List<SerialCondition>();
        using var snapshot = await OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        foreach (var (keyspace, key, isMet) in transaction.Requirements)
        {
            var document = await snapshot.GetAsync(keyspace, key, cancellationToken).ConfigureAwait(false);
            if (!isMet(document))
                throw new TransactionConflictException(keyspace, key);
            conditions.Add(new SerialCondition(keyspace, key, document is null ? null : ContentHash.Of(document)));
        }
        return conditions;
    }

    /// <summary>Waits until the store has what members have at a level.</summary>
    async ValueTask CatchUpWithMemberAsync(Consistency consistency, CancellationToken cancellationToken)
    {
        var known = await _remote!.ReadKnownAsync(consistency, cancellationToken).ConfigureAwait(false);
        using var deadline = new CancellationTokenSource(ReplicatedStoreOptions.ToTimer(_options.AcknowledgmentTimeout), _node.TimeProvider);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            await _parts.Waiters.WaitAsync(() => Known.Covers(known), linked.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException(
                $"The follower did not receive what members have at the level {consistency} within {_options.AcknowledgmentTimeout.TotalSeconds:0.###} s. "
                    + (FollowStatus is { IsConnected: false, Failure: { } failure } ? $"It follows no member at present: {failure}. " : "") + "Retry, or read without a level.");
        }
    }
}
