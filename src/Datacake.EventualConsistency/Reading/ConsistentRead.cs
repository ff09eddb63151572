using Datacake.Crdt;
using Datacake.Node;
using Datacake.Rpc;

namespace Datacake.EventualConsistency.Reading;

/// <summary>
/// One read of documents at a consistency level: asks all members that are up at once, returns when enough have answered, and merges the answers.
/// Whoever answered with less than the others is told to fetch the rest.
/// </summary>
sealed class ConsistentRead(DatacakeNode node, ReadService local, ReadRequest request, ConsistencyRequirement requirement)
{
    readonly Dictionary<byte, IReadOnlyList<Document>> _answers = [];
    readonly List<ConsistencyFailure> _failures = [];

    /// <summary>The merged documents.</summary>
    /// <exception cref="ConsistencyException">Too few answered within the timeout.</exception>
    public async ValueTask<Document[]> ReadAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        _answers[node.Id] = await local.ReadAsync(request, cancellationToken).ConfigureAwait(false);
        if (!requirement.IsSatisfiedBy(NodeSet.Of(node.Id)))
            await AskOthersAsync(timeout, cancellationToken).ConfigureAwait(false);
        return [.. Enumerable.Range(0, request.Keys.Count).Select(i => _answers.Values.Select(answer => answer[i]).Aggregate(Document.Merge))];
    }

    /// <summary>The nodes whose answers lack something of the merged documents.</summary>
    public IReadOnlyList<byte> StaleIn(Document[] merged) =>
        [.. _answers.Where(answer => !answer.Value.SequenceEqual(merged)).Select(answer => answer.Key)];

    /// <summary>A node whose answer lacks nothing; or else, as far as possible, one that knows what the given node does not.</summary>
    public byte? SourceFor(byte stale, Document[] merged) => _answers.Where(answer => answer.Key != stale)
        .OrderByDescending(answer => answer.Value.SequenceEqual(merged))
        .Where(answer => !answer.Value.SequenceEqual(_answers[stale]))
        .Select(answer => (byte?)answer.Key).FirstOrDefault();

    async Task AskOthersAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        long started = node.TimeProvider.GetTimestamp();
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        byte[] payload = request.Encode();
        var asking = node.Members.Where(member => member.NodeId != node.Id && requirement.Up.Contains(member.NodeId))
            .ToDictionary(member => AskAsync(member.Address, member.NodeId, payload, timeout, over.Token), member => member.NodeId);
        var answered = NodeSet.Of(node.Id);
        var pending = asking.Keys.ToList();
        try
        {
            while (!requirement.IsSatisfiedBy(answered))
            {
                if (pending.Count == 0)
                    throw new ConsistencyException(requirement, answered, _failures, node.TimeProvider.GetElapsedTime(started));
                var done = await Task.WhenAny(pending).ConfigureAwait(false);
                pending.Remove(done);
                byte from = asking[done];
                try
                {
                    _answers[from] = (await done.ConfigureAwait(false)).Documents;
                    answered = answered.With(from);
                }
                catch (Exception e) when (e is RpcException or InvalidDataException)
                {
                    _failures.Add(new ConsistencyFailure(from, "it did not answer the read", e));
                }
            }
        }
        finally
        {
            await over.CancelAsync().ConfigureAwait(false);
            await ((Task)Task.WhenAll(pending)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    async Task<ReadReply> AskAsync(string address, byte peer, byte[] payload, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var reply = await node.ChannelTo(address)
            .CallAsync(ReadService.ServiceName, ReadService.ReadMessage, payload, new RpcCallOptions { Timeout = timeout }, cancellationToken)
            .ConfigureAwait(false);
        return ReadReply.Decode(reply.Memory, peer, request.Keys.Count);
    }
}
