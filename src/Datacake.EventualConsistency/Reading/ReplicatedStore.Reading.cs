using Datacake.Crdt;
using Datacake.EventualConsistency.Reading;
using Datacake.Node;
using Datacake.Rpc;

namespace Datacake.EventualConsistency;

public sealed partial class ReplicatedStore
{
    /// <summary>How long a read waits until this replica has what others had more. It need not: what it returns is complete.</summary>
    static readonly TimeSpan RepairPatience = TimeSpan.FromSeconds(1);

    readonly ReadService _reads;

    /// <summary>Documents at a consistency level; see <see cref="KeyspaceHandle.GetAsync(DocumentKey, Consistency, CancellationToken)"/>.</summary>
    internal async ValueTask<Document?[]> ReadAsync(
        string keyspace, IReadOnlyList<DocumentKey> keys, Consistency consistency, CancellationToken cancellationToken)
    {
        if (keys.Count > ReadRequest.MaxKeys)
            throw new ArgumentException($"The read is of {keys.Count} documents; at most {ReadRequest.MaxKeys} are possible. Read in parts.", nameof(keys));
        await WaitUntilJoinedAsync(cancellationToken).ConfigureAwait(false);
        var requirement = _membership.RequirementOf(consistency);
        if (!requirement.IsReachable)
            throw new NotEnoughNodesException(requirement, _membership.Describe(_node));
        var read = new ConsistentRead(_node, _reads, new ReadRequest(keyspace, keys), requirement);
        var merged = await read.ReadAsync(_options.AcknowledgementTimeout, cancellationToken).ConfigureAwait(false);
        // What is written from now on has to supersede what was read.
        foreach (var document in merged)
            _node.Clock.Observe(document.Newest);
        if (read.StaleIn(merged) is { Count: > 0 } stale)
            await RepairAsync(read, stale, merged, cancellationToken).ConfigureAwait(false);

        // A keyspace that is not known here yet has no living documents elsewhere either, or its policy comes with the repair.
        var policy = _replica.Catalog.Find(keyspace)?.Policy ?? MergePolicy.LastWriterWins;
        return [.. merged.Select(document => document.IsAlive(policy) ? document : null)];
    }

    async ValueTask RepairAsync(ConsistentRead read, IReadOnlyList<byte> stale, Document[] merged, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(RepairPatience, _node.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            await Task.WhenAll(stale.Select(node => RepairAsync(node, read.SourceFor(node, merged), either.Token))).ConfigureAwait(false);
            if (stale.Contains(_node.Id))
            {
                foreach (var document in merged)
                {
                    if (!document.Newest.IsNone)
                        await WaitForAsync(new SessionToken(document.Newest), either.Token).ConfigureAwait(false);
                }
            }
        }
        catch (Exception e) when (e is RpcException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            // Ordinary replication brings it.
            StoreLog.RepairFailed(_logger, e, _node.Id);
        }
    }

    async Task RepairAsync(byte stale, byte? source, CancellationToken cancellationToken)
    {
        if (source is not { } from)
            return;
        if (stale == _node.Id)
            await _reads.PullAsync(from, cancellationToken).ConfigureAwait(false);
        else if (_node.Members.FirstOrDefault(member => member.NodeId == stale) is { } member)
        {
            using var reply = await _node.ChannelTo(member.Address)
                .CallAsync(ReadService.ServiceName, ReadService.RepairMessage, new[] { from }, default, cancellationToken).ConfigureAwait(false);
        }
    }
}
