using Datacake.Crdt;
using Datacake.EventualConsistency.Links;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Reading;

/// <summary>
/// One read of documents at a consistency level: asks all members that are up at once, through the sessions with them, waits until enough
/// of them have answered, and merges the answers.
/// </summary>
sealed class ConsistentRead(SessionContext context, string keyspace, IReadOnlyList<DocumentKey> keys, ConsistencyRequirement requirement)
{
    readonly Dictionary<byte, IReadOnlyList<Document>> _answers = [];

    byte Local => context.Node.Id;

    /// <summary>Reads the documents, and returns them merged.</summary>
    /// <exception cref="ConsistencyException">Too few members answered within the timeout.</exception>
    /// <exception cref="StorageException">The local store cannot be read.</exception>
    public async ValueTask<Document[]> ReadAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        _answers[Local] = (await context.Reader.ReadAsync(keyspace, keys, long.MaxValue, cancellationToken).ConfigureAwait(false))!;
        await MemberPoll.RunAsync(context.Node, requirement, timeout, AskAsync, (from, documents) => _answers[from] = documents, "it did not answer in time", cancellationToken)
            .ConfigureAwait(false);
        return [.. Enumerable.Range(0, keys.Count).Select(i => _answers.Values.Select(answer => answer[i]).Aggregate(Document.Merge))];
    }

    /// <summary>Makes the members whose answers lack part of the merged documents fetch it. Does not wait for them.</summary>
    public void StartRepair(Document[] merged)
    {
        foreach (var (stale, answer) in _answers)
        {
            if (answer.SequenceEqual(merged) || SourceFor(stale, merged) is not { } source)
                continue;
            // If it cannot be posted, ordinary replication brings the documents.
            if (stale == Local)
                context.Loop.TryPost(new ReadRepairWork(context.Replica, source));
            else
                context.Links.Find(stale)?.TryPost(new RepairHint(source));
        }
    }

    /// <summary>
    /// Returns a node whose answer is complete. If there is none, returns a node whose answer differs from that of the given node, or null.
    /// </summary>
    byte? SourceFor(byte stale, Document[] merged) => _answers.Where(answer => answer.Key != stale)
        .OrderByDescending(answer => answer.Value.SequenceEqual(merged))
        .Where(answer => !answer.Value.SequenceEqual(_answers[stale]))
        .Select(answer => (byte?)answer.Key).FirstOrDefault();

    Task<IReadOnlyList<Document>> AskAsync(byte peer, CancellationToken cancellationToken) => context.Links.Find(peer) is { } link
        ? link.Reads.ReadAsync(keyspace, keys, cancellationToken)
        : Task.FromException<IReadOnlyList<Document>>(new ReadFailedException("there is no session with it"));
}
