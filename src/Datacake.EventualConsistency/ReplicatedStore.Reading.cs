using Datacake.Crdt;
using Datacake.EventualConsistency.Links;
using Datacake.EventualConsistency.Membership;
using Datacake.EventualConsistency.Reading;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency;

public sealed partial class ReplicatedStore
{
    /// <summary>
    /// Waits until this node has all transactions that as many members have at present as the consistency level requires, this node
    /// included. Snapshots that are opened afterwards show what reads at that level would show: at <see cref="Consistency.Quorum"/>, every
    /// write that was acknowledged at quorum before, on any node; at <see cref="Consistency.Serial"/>, every serial transaction that ended before the call.
    /// </summary>
    /// <exception cref="NotEnoughNodesException">The members that are up cannot satisfy the level.</exception>
    /// <exception cref="TimeoutException">The sequencer did not answer in time at <see cref="Consistency.Serial"/>, or its transactions did not arrive.</exception>
    /// <exception cref="ConsistencyException">
    /// Too few members answered, or their transactions did not arrive, within <see cref="ReplicatedStoreOptions.AcknowledgmentTimeout"/>.
    /// </exception>
    public async ValueTask CatchUpAsync(Consistency consistency, CancellationToken cancellationToken = default)
    {
        await WaitUntilJoinedAsync(cancellationToken).ConfigureAwait(false);
        if (_remote is not null)
        {
            await CatchUpWithMemberAsync(consistency, cancellationToken).ConfigureAwait(false);
            return;
        }
        if (consistency == Consistency.Serial)
        {
            await _parts.Sequencing.PassBarrierAsync(cancellationToken).ConfigureAwait(false);
            return;
        }
        var requirement = ReachableRequirementOf(consistency);
        try
        {
            await MemberPoll.RunAsync(
                _node, requirement, _options.AcknowledgmentTimeout, TakeOverAsync, static (_, _) => { }, "its transactions did not arrive in time", cancellationToken).ConfigureAwait(false);
        }
        catch (ConsistencyException)
        {
            ThrowIfClosing();
            throw;
        }

        // Waits until this node has everything that a member has at present. The store shows the effects of a transaction that it knows, or
        // what superseded them.
        async Task<VersionVector> TakeOverAsync(byte peer, CancellationToken over)
        {
            if (_parts.Context.Links.Find(peer) is not { } link)
                throw new ReadFailedException("there is no session with it");
            var known = await link.Reads.ReadKnownAsync(over).ConfigureAwait(false);
            // Most of the time it is on its way already. If the work cannot be posted, ordinary replication brings it.
            if (!_membership.Current.Known.Covers(known))
                _parts.Context.Loop.TryPost(new ReadRepairWork(_replica, peer));
            await _parts.Waiters.WaitAsync(() => _membership.Current.Known.Covers(known), over).ConfigureAwait(false);
            return known;
        }
    }

    /// <summary>
    /// Reads documents at a consistency level; see <see cref="KeyspaceHandle.GetAsync(DocumentKey, Consistency, CancellationToken)"/>.
    /// </summary>
    internal async ValueTask<Document?[]> ReadAsync(
        string keyspace, IReadOnlyList<DocumentKey> keys, Consistency consistency, CancellationToken cancellationToken)
    {
        if (keys.Count > ReadRequest.MaxKeys)
            throw new ArgumentException($"The read asks for {keys.Count} documents. The limit is {ReadRequest.MaxKeys}. Read the documents in parts.", nameof(keys));
        await WaitUntilJoinedAsync(cancellationToken).ConfigureAwait(false);
        if (consistency == Consistency.Serial)
            return await ReadSerialAsync(keyspace, keys, cancellationToken).ConfigureAwait(false);
        if (_remote is not null)
        {
            await CatchUpWithMemberAsync(consistency, cancellationToken).ConfigureAwait(false);
            using var snapshot = await OpenPresentSnapshotAsync(cancellationToken).ConfigureAwait(false);
            return await ReadAllAsync(snapshot, keyspace, keys, cancellationToken).ConfigureAwait(false);
        }
        var requirement = ReachableRequirementOf(consistency);
        var distinct = keys.Distinct().ToList();
        if (distinct.Count < keys.Count)
        {
            var documents = await ReadAsync(keyspace, distinct, consistency, cancellationToken).ConfigureAwait(false);
            var places = distinct.Index().ToDictionary(place => place.Item, place => place.Index);
            return [.. keys.Select(key => documents[places[key]])];
        }
        var read = new ConsistentRead(_parts.Context, keyspace, keys, requirement);
        Document[] merged;
        try
        {
            merged = await read.ReadAsync(_options.AcknowledgmentTimeout, cancellationToken).ConfigureAwait(false);
        }
        catch (ConsistencyException)
        {
            ThrowIfClosing();
            throw;
        }
        // Later writes must supersede what was read.
        foreach (var document in merged)
            _node.Clock.Observe(document.Newest);
        read.StartRepair(merged);

        // A keyspace that is not known here yet has no live documents elsewhere either, or its policy arrives with the repair.
        var policy = _replica.Catalog.Find(keyspace)?.Policy ?? MergePolicy.LastWriterWins;
        var now = _node.Clock.Wall;
        return [.. merged.Select(document => document.IsAliveAt(now, policy) ? document : null)];
    }

    ConsistencyRequirement ReachableRequirementOf(Consistency consistency)
    {
        var membership = _membership.Current;
        var requirement = membership.RequirementOf(consistency);
        return requirement.IsReachable ? requirement : throw new NotEnoughNodesException(requirement, membership.Describe(_node), Name);
    }
}
