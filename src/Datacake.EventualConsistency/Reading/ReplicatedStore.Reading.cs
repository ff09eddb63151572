using Datacake.Crdt;
using Datacake.EventualConsistency.Reading;
using Datacake.Node;

namespace Datacake.EventualConsistency;

public sealed partial class ReplicatedStore
{
    /// <summary>Documents at a consistency level; see <see cref="KeyspaceHandle.GetAsync(DocumentKey, Consistency, CancellationToken)"/>.</summary>
    internal async ValueTask<Document?[]> ReadAsync(
        string keyspace, IReadOnlyList<DocumentKey> keys, Consistency consistency, CancellationToken cancellationToken)
    {
        if (keys.Count > ReadRequest.MaxKeys)
            throw new ArgumentException($"The read is of {keys.Count} documents; the limit is {ReadRequest.MaxKeys}. Read in parts.", nameof(keys));
        await WaitUntilJoinedAsync(cancellationToken).ConfigureAwait(false);
        var membership = _membership.Current;
        var requirement = membership.RequirementOf(consistency);
        if (!requirement.IsReachable)
            throw new NotEnoughNodesException(requirement, membership.Describe(_node));
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
            merged = await read.ReadAsync(_options.AcknowledgementTimeout, cancellationToken).ConfigureAwait(false);
        }
        catch (ConsistencyException)
        {
            ThrowIfClosing();
            throw;
        }
        // What is written from now on has to supersede what was read.
        foreach (var document in merged)
            _node.Clock.Observe(document.Newest);
        read.StartRepair(merged);

        // A keyspace that is not known here yet has no living documents elsewhere either, or its policy comes with the repair.
        var policy = _replica.Catalog.Find(keyspace)?.Policy ?? MergePolicy.LastWriterWins;
        return [.. merged.Select(document => document.IsAlive(policy) ? document : null)];
    }
}
